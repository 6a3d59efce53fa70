import type { StepContext } from './context.ts';
import { isFinished, type Journal } from './journal.ts';
import { planOf } from './plans.ts';

/** Goes on from where the journal stands, to the end. Each step is on record before the next begins. */
export async function advance(journal: Journal, context: StepContext): Promise<Journal> {
  const plan = planOf(journal);
  let current = journal;
  while (!isFinished(current)) {
    context.signal?.throwIfAborted();
    const { step, reaches } = stepAfter(current);
    current = { ...(await step(current, context)), step: reaches };
    if (isFinished(current) && plan.endsJournal) await context.store.remove(current.name);
    else await context.store.save(current);
    context.onEvent({ kind: 'step', volume: current.name, operation: current.operation, step: reaches });
  }
  return current;
}

function stepAfter(journal: Journal) {
  const { steps } = planOf(journal);
  const index = steps.findIndex(({ reaches }) => reaches === journal.step);
  const next = steps[index + 1];
  if (next === undefined) throw new Error(`${journal.name} has no step after ${journal.step}`);
  return next;
}
