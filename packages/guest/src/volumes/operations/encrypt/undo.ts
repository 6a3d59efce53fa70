import { removeDurably } from '@kannuki/core';
import { restoreEntries } from '../../../boot/entries.ts';
import type { StepContext } from '../../context.ts';
import type { Journal } from '../../journal.ts';
import { activeMapping } from '../../mapping.ts';
import { headerPath } from '../../paths.ts';
import { startUnits } from '../../services.ts';

/**
 * Takes an encryption back that has not changed a block yet: entries as they were, header and journal gone. What is in
 * the vault stays there; it opens nothing. Safe to repeat after a power cut, because the journal goes last.
 */
export async function undoBeforeInk(journal: Journal, context: StepContext): Promise<void> {
  // A mapping that could not be closed is in use: then the journal stays, and the next start goes on from it.
  if ((await activeMapping(journal.name)) !== undefined) return;
  await restoreEntries(journal, context);
  await removeDurably(headerPath(context.paths, journal.name));
  await startUnits(context.run, journal.stoppedUnits);
  await context.store.remove(journal.name);
}
