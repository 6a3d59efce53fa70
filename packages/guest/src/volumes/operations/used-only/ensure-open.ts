import type { StepContext } from '../../context.ts';
import { assertSameDevice } from '../../identity.ts';
import type { Journal } from '../../journal.ts';
import { openAndEnter } from '../../steps/map.ts';

/** In a run that has not opened the volume itself its content is compared with the journal's before anything is written. */
export async function ensureOpen(journal: Journal, context: StepContext): Promise<void> {
  if (context.opened.has(journal.name)) return;
  await openAndEnter(journal, context);
  await assertSameDevice(journal, context.run);
}
