import { exitCodes, KannukiError } from '@kannuki/core';
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

/** A failure takes everything back as long as that is safe; after that, only going on is. */
export async function advanceOrTakeBack(
  journal: Journal,
  context: StepContext,
  shouldTakeBack: (error: unknown) => boolean,
): Promise<Journal> {
  try {
    return await advance(journal, context);
  } catch (error) {
    const current = await context.store.find(journal.name);
    if (current !== undefined && shouldTakeBack(error)) {
      const { takeBack } = planOf(current);
      if (takeBack.isPossible(current.step)) await takeBack.run(current, context);
    }
    throw error;
  }
}

/**
 * A vault that cannot be reached now will be reached later, and who is told to stop will be started again: no reason to take a
 * begun operation back.
 */
export function isPassing(error: unknown, signal: AbortSignal | undefined): boolean {
  if (signal?.aborted === true) return true;
  return (
    error instanceof KannukiError && [exitCodes.unavailable, exitCodes.tryAgain].some((code) => code === error.exitCode)
  );
}
