import { existsSync } from 'node:fs';
import { hasCode, KannukiError, type Run, type SecretBytes, syncFile } from '@kannuki/core';
import type { Step, StepContext } from '../../context.ts';
import { assertSameContent, assertSameDevice } from '../../identity.ts';
import type { Journal } from '../../journal.ts';
import { activeMapping } from '../../mapping.ts';
import { headerPath } from '../../paths.ts';
import { assertInUseIs } from '../../right-disk.ts';
import { readPassphrase } from '../../steps/escrow.ts';
import { mapperPath, openAndEnter, openMapping, restartUnits, stopUnitsInTheWay } from '../../steps/map.ts';
import { useOf } from '../../uses/uses.ts';
import { readExtGeometry } from './ext-geometry.ts';
import { checkUnmounted, fileSystemBytes, repairUnmounted, shrinkTo } from './ext-tools.ts';
import { preparedHeaderPath, putHeaderInPlace, takeHeaderOutOfPlace } from './front-header.ts';
import { leastSize } from './least-size.ts';
import { usedOnlyOf } from './used-only-of.ts';

/**
 * The one time that the volume is away: its file system is checked and shrunk to the front, dm-crypt is put below it, it is
 * taken into use again. Everything on the disk stays plain.
 *
 * A power cut in here leaves the volume unmounted until this step is done again: its line in fstab has moved away before, and
 * without a header nothing opens it. e2fsck then repairs what the cut has left of the shrinking.
 */
export const shrinkAndMap: Step = async (journal, context) => {
  if (existsSync(headerPath(context.paths, journal.name))) {
    // The cut came after the header took its place: everything is done, perhaps by the boot, but for the record.
    await openAndEnter(journal, context);
    return await restartUnits(journal, context);
  }
  if (!existsSync(preparedHeaderPath(context.paths, journal.name))) {
    // A taking back was cut: it goes on.
    throw new KannukiError('KNK-VOL-0064', { details: { point: useOf(journal).name } });
  }
  const use = useOf(journal);
  if (!(await use.isInUse(context.run))) {
    using passphrase = await readPassphrase(journal, context.vault);
    return await restartUnits(await shrinkOpenEnter(journal, context, passphrase), context);
  }
  await assertInUseIs(journal, context.run);
  // The passphrase is fetched before services are stopped: should the vault be away, they go on.
  using passphrase = await readPassphrase(journal, context.vault);
  const stopping = await stopUnitsInTheWay(journal, context);
  await context.beforeUnmount(use.name);
  const start = performance.now();
  if (!(await use.leave(context.run))) throw new KannukiError('KNK-VOL-0003', { details: { point: use.name } });
  const mapped = await shrinkOpenEnter(stopping, context, passphrase);
  const downtimeSeconds = Math.round(performance.now() - start) / 1000;
  context.onEvent({ kind: 'mounted', volume: journal.name, point: use.name, downtimeSeconds });
  return await restartUnits({ ...mapped, downtimeSeconds }, context);
};

async function shrinkOpenEnter(journal: Journal, context: StepContext, passphrase: SecretBytes): Promise<Journal> {
  try {
    await assertSameDevice(journal, context.run);
    const shrunk = await shrink(journal, context);
    await putHeaderInPlace(journal, context.paths);
    await openMapping(shrunk, context, passphrase);
    await assertSameContent(shrunk, context.run);
    await useOf(shrunk).enter(mapperPath(shrunk), context.run);
    context.opened.add(journal.name);
    return shrunk;
  } catch (error) {
    await backToPlain((await context.store.find(journal.name)) ?? journal, context);
    throw error;
  }
}

/** The file system has the size of the front, and the disk has it for good. */
async function shrink(journal: Journal, context: StepContext): Promise<Journal> {
  const { run, lock } = context;
  const { path } = journal.device;
  const use = useOf(journal);
  const seen = await use.probe(path, run);
  if (seen !== use.wanted) {
    const details = { volume: journal.name, device: path, seen: seen ?? 'nothing known', wanted: use.wanted };
    throw new KannukiError('KNK-VOL-0004', { details });
  }
  const record = usedOnlyOf(journal);
  if (record.resizing) await repairUnmounted(run, path);
  else await checkUnmounted(run, path);
  await assertFits(journal, run);
  const resizing = { ...journal, usedOnly: { ...record, resizing: true } };
  if (!record.resizing) await context.store.save(resizing);
  await shrinkTo(run, path, record.frontBytes, lock);
  await syncFile(path);
  if ((await fileSystemBytes(path)) > record.frontBytes) {
    throw new KannukiError('KNK-VOL-0060', {
      details: { seen: `${await fileSystemBytes(path)} bytes after resize2fs` },
    });
  }
  return resizing;
}

/**
 * As the check has left it, for what was foreseen while it was in use may be too little: a resize2fs that is told to go so low must not
 * run out of room in the middle.
 */
async function assertFits(journal: Journal, run: Run): Promise<void> {
  const { frontBytes } = usedOnlyOf(journal);
  const { path } = journal.device;
  const geometry = await readExtGeometry(path);
  if (geometry !== null && geometry.sizeBytes <= frontBytes) return;
  if (geometry !== null && (await leastSize(run, path, geometry)) <= frontBytes) return;
  throw new KannukiError('KNK-VOL-0061', { details: { point: useOf(journal).name } });
}

/** No block has changed its form yet, so the volume as it was is a mount away; undo.ts then gives it its size back. */
async function backToPlain(journal: Journal, context: StepContext): Promise<void> {
  const { run, paths } = context;
  if ((await activeMapping(journal.name)) !== undefined) await context.cryptsetup.close(journal.name);
  // Before the file system may grow again.
  if (existsSync(headerPath(paths, journal.name))) await takeHeaderOutOfPlace(journal, paths);
  // Should another disk answer to the name now, nothing on it is touched.
  await assertSameDevice(journal, run);
  const use = useOf(journal);
  const seen = await use.probe(journal.device.path, run);
  if (seen !== undefined && seen !== use.wanted) return;
  if (usedOnlyOf(journal).resizing) await repairUnmounted(run, journal.device.path);
  try {
    await use.enter(journal.device.path, run);
  } catch (error) {
    // What went wrong before is what has to be told.
    if (!hasCode(error, 'KNK-CMD-0001')) throw error;
  }
}
