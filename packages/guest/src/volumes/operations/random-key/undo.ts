import { removeDurably } from '@kannuki/core';
import { restoreEntries } from '../../../boot/entries.ts';
import type { StepContext } from '../../context.ts';
import type { Journal } from '../../journal.ts';
import { headerPath } from '../../paths.ts';
import { startUnits } from '../../services.ts';
import { useOf } from '../../uses/uses.ts';

/** Nothing on the device has changed: entries as they were, swap on or mounted again, journal gone. */
export async function undoBeforeMark(journal: Journal, context: StepContext): Promise<void> {
  const use = useOf(journal);
  await restoreEntries(journal, context);
  const isPlain = (await use.probe(journal.device.path, context.run)) === use.wanted;
  if (use.wasInUse && isPlain && !(await use.isInUse(context.run))) await use.enter(journal.device.path, context.run);
  await removeDurably(`${headerPath(context.paths, journal.name)}.mark`);
  await startUnits(context.run, journal.stoppedUnits);
  await context.store.remove(journal.name);
}
