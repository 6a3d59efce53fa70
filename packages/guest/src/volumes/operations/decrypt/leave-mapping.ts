import { readFile } from 'node:fs/promises';
import { KannukiError } from '@kannuki/core';
import type { Step, StepContext } from '../../context.ts';
import { assertSameDevice } from '../../identity.ts';
import type { Journal } from '../../journal.ts';
import { activeMapping } from '../../mapping.ts';
import { unmapPlain } from '../../plain-mapping.ts';
import { mapperPath, restartUnits, stopUnitsInTheWay } from '../../steps/map.ts';
import { useOf } from '../../uses/uses.ts';

/**
 * Takes the volume from its mapping, which only passes everything on by now, to the disk itself: the second short time that it
 * is away. Behind a reboot there is no mapping any more, and the boot has mounted the disk; or it is mounted here.
 * @throws KannukiError KNK-VOL-0041 when it is in use and stays so: then the next boot does it
 */
export const leaveMapping: Step = async (journal, context) => {
  const use = useOf(journal);
  if ((await activeMapping(journal.name)) === undefined) {
    if (!(await use.isInUse(context.run))) await enterPlain(journal, context, null);
    return restartUnits(journal, context);
  }
  const stopping = await stopOnceABoot(journal, context);
  await context.beforeUnmount(use.name);
  const start = performance.now();
  if ((await use.isInUse(context.run)) && !(await use.leave(context.run))) {
    await stayForNow(stopping, context);
  }
  try {
    if ((await activeMapping(journal.name)) !== undefined) await unmapPlain(journal.name, context.run);
  } catch (error) {
    await use.enter(mapperPath(journal), context.run);
    await restartUnits(stopping, context);
    throw error;
  }
  const seconds = (): number => Math.round(performance.now() - start) / 1000;
  await enterPlain(stopping, context, seconds);
  return { ...(await restartUnits(stopping, context)), downtimeSeconds: seconds() };
};

async function enterPlain(journal: Journal, context: StepContext, seconds: (() => number) | null): Promise<void> {
  const use = useOf(journal);
  const { path } = journal.device;
  await assertSameDevice(journal, context.run);
  const seen = await use.probe(path, context.run);
  if (seen !== use.wanted) {
    const details = { volume: journal.name, device: path, seen: seen ?? 'nothing known', wanted: use.wanted };
    throw new KannukiError('KNK-VOL-0004', { details });
  }
  await use.enter(path, context.run);
  context.onEvent({
    kind: 'mounted',
    volume: journal.name,
    point: use.name,
    downtimeSeconds: seconds === null ? null : seconds(),
  });
}

/** Services are stopped for this once a boot: who tries again every two minutes must not stop them every two minutes. */
async function stopOnceABoot(journal: Journal, context: StepContext): Promise<Journal> {
  if (journal.decryption?.stayedBusyIn === (await bootId())) return journal;
  return await stopUnitsInTheWay(journal, context);
}

async function stayForNow(journal: Journal, context: StepContext): Promise<never> {
  const started = await restartUnits(journal, context);
  await context.store.save({ ...started, decryption: { stayedBusyIn: await bootId() } });
  throw new KannukiError('KNK-VOL-0041', { details: { point: useOf(journal).name, mapping: mapperPath(journal) } });
}

/** random(4): a new one at each boot. */
async function bootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
}
