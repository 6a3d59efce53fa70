import { removeDurably } from '@kannuki/core';
import { restoreEntries } from '../../../boot/entries.ts';
import type { StepContext } from '../../context.ts';
import type { Journal } from '../../journal.ts';
import { activeMapping } from '../../mapping.ts';
import { headerPath } from '../../paths.ts';
import { startUnits } from '../../services.ts';
import { useOf } from '../../uses/uses.ts';

/**
 * Takes an encryption back that has not changed a block yet: entries as they were, header and journal gone. What is in
 * the vault stays there; it opens nothing. Safe to repeat after a power cut, because the journal goes last.
 */
export async function undoBeforeInk(journal: Journal, context: StepContext): Promise<void> {
  // A mapping that could not be closed is in use: then the journal stays, and the next start goes on from it.
  if ((await activeMapping(journal.name)) !== undefined) return;
  await restoreEntries(journal, context);
  await removeDurably(headerPath(context.paths, journal.name));
  // A boot behind a power cut has left it alone, since its entries had moved or its disk was hidden; now it comes up.
  const use = useOf(journal);
  const isPlainHere = async () => (await use.probe(journal.device.path, context.run)) === use.wanted;
  const comesBack = journal.use.kind === 'physical-volume' || (journal.use.kind === 'mount' && (await isPlainHere()));
  if (comesBack && !(await use.isInUse(context.run))) await use.enter(journal.device.path, context.run);
  await startUnits(context.run, journal.stoppedUnits);
  await context.store.remove(journal.name);
}
