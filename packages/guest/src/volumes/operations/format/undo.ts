import { removeDurably } from '@kannuki/core';
import type { StepContext } from '../../context.ts';
import type { Journal } from '../../journal.ts';
import { probeFileSystem } from '../../mounting.ts';
import { headerPath } from '../../paths.ts';
import { startUnits } from '../../services.ts';
import { useOf } from '../../uses/uses.ts';
import { formatOf } from './format-of.ts';

/** Takes a format back that has not let go of the old volume, or not on record: it is mounted again, and nothing of ours is left. */
export async function undoBeforeFormat(journal: Journal, context: StepContext): Promise<void> {
  const use = useOf(journal);
  const { before } = formatOf(journal);
  if (before !== null && !(await use.isInUse(context.run))) {
    const seen = await probeFileSystem(context.run, journal.device.path);
    // Never another disk in its place.
    if (seen?.uuid === before.uuid) await use.enter(journal.device.path, context.run);
  }
  await removeDurably(headerPath(context.paths, journal.name));
  await startUnits(context.run, journal.stoppedUnits);
  await context.store.remove(journal.name);
}
