import { rm } from 'node:fs/promises';
import { KannukiError, removeDurably } from '@kannuki/core';
import type { StepContext } from '../../context.ts';
import { assertSameDevice } from '../../identity.ts';
import type { Journal } from '../../journal.ts';
import { activeMapping } from '../../mapping.ts';
import { headerPath } from '../../paths.ts';
import { useOf } from '../../uses/uses.ts';
import { undoBeforeInk } from '../encrypt/undo.ts';
import { growToDevice, repairUnmounted } from './ext-tools.ts';
import { preparedHeaderPath } from './front-header.ts';
import { usedOnlyOf } from './used-only-of.ts';

/**
 * Takes an encryption back that has not changed a block into ciphertext yet: the file system gets its size back, the rest is as
 * in operations/encrypt. Safe to repeat after a power cut: the header goes before the file system grows, the journal last.
 */
export async function undoUsedOnly(journal: Journal, context: StepContext): Promise<void> {
  const { run, paths, lock } = context;
  if ((await activeMapping(journal.name)) !== undefined) return;
  // Should another disk answer to the name now, nothing on it is touched, and the journal stays.
  await assertSameDevice(journal, run);
  const { path } = journal.device;
  const use = useOf(journal);
  const seen = await use.probe(path, run);
  if (seen !== undefined && seen !== use.wanted) {
    const details = { volume: journal.name, device: path, seen, wanted: use.wanted };
    throw new KannukiError('KNK-VOL-0004', { details });
  }
  await removeDurably(headerPath(paths, journal.name));
  if (usedOnlyOf(journal).resizing) {
    if (!(await use.isInUse(run))) await repairUnmounted(run, path);
    await growToDevice(run, path, lock);
    if (!(await use.isInUse(run))) await use.enter(path, run);
  }
  await rm(`${headerPath(paths, journal.name)}.new`, { force: true });
  await removeDurably(preparedHeaderPath(paths, journal.name));
  await undoBeforeInk(journal, context);
}
