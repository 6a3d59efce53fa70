import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { KannukiError, makeDirectoryDurably, removeDurably } from '@kannuki/core';
import { probe } from '../../../facts/signature.ts';
import type { Step, StepContext } from '../../context.ts';
import { assertSameDevice } from '../../identity.ts';
import type { Journal } from '../../journal.ts';
import { activeMapping } from '../../mapping.ts';
import { headerFolder, headerPath } from '../../paths.ts';
import { restartUnits, stopUnitsInTheWay } from '../../steps/map.ts';
import { carriesMark, type MarkedImage, writeMarkedImage } from '../../steps/marked-image.ts';
import type { SwapUse } from '../../uses/swap.ts';
import { useOf } from '../../uses/uses.ts';
import { randomKeyOf } from '../random-key/steps.ts';

export const letGoOfMapping: Step = async (journal, context) => {
  const use = useOf(journal);
  const stopping = (await use.isInUse(context.run)) ? await stopUnitsInTheWay(journal, context) : journal;
  await release(journal, context);
  return stopping;
};

/** After a power cut the boot has taken it into use again: then it is let go of once more. */
async function release(journal: Journal, context: StepContext): Promise<void> {
  const use = useOf(journal);
  if (await use.isInUse(context.run)) {
    await context.beforeUnmount(use.name);
    if (!(await use.leave(context.run))) throw new KannukiError('KNK-VOL-0003', { details: { point: use.name } });
  }
  if ((await activeMapping(journal.name)) !== undefined) await context.cryptsetup.close(journal.name);
}

export const makePlain: Step = async (journal, context) => {
  await release(journal, context);
  await assertSameDevice(journal, context.run);
  if (journal.use.kind === 'swap') await makePlainSwap(journal, journal.use, context);
  else await useOf(journal).makeAnew(journal.device.path, context.run);
  return journal;
};

export const backInUse: Step = async (journal, context) => {
  const use = useOf(journal);
  if (use.wasInUse && !(await use.isInUse(context.run))) await use.enter(journal.device.path, context.run);
  return await restartUnits(journal, context);
};

/** Writes only where our mark is, or the swap space that a power cut has left half-written. */
async function makePlainSwap(journal: Journal, use: SwapUse, context: StepContext): Promise<void> {
  const image = await swapImage(journal, use, context);
  const { path } = journal.device;
  if (!(await carriesMark(path, image))) {
    const { markUuid } = randomKeyOf(journal);
    const { signature } = await probe(context.run, path);
    if (signature?.uuid !== markUuid) {
      throw new KannukiError('KNK-VOL-0004', {
        details: { volume: journal.name, device: path, seen: signature?.uuid ?? 'no mark', wanted: `mark ${markUuid}` },
      });
    }
  }
  await writeMarkedImage(path, image);
}

const pageBytes = 4096;

/** What mkswap(8) writes: one page, made over a file without blocks of the same size. UUID and size lie in one sector of it. */
async function swapImage(journal: Journal, use: SwapUse, { paths, run }: StepContext): Promise<MarkedImage> {
  const file = `${headerPath(paths, journal.name)}.swap`;
  await makeDirectoryDurably(headerFolder(paths), 0o700);
  await rm(file, { force: true });
  try {
    await writeFile(file, '', { mode: 0o600 });
    await truncate(file, journal.device.sizeBytes);
    const label = use.label === '' ? [] : ['--label', use.label];
    await run('mkswap', ['--quiet', '--pagesize', String(pageBytes), '--uuid', use.uuid, ...label, file], {
      timeoutSeconds: 60,
    });
    await truncate(file, pageBytes);
    return { bytes: await readFile(file), markOffset: 1024 };
  } finally {
    await removeDurably(file);
  }
}
