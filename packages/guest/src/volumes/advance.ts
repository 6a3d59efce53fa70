import { exitCodes, KannukiError, type Language } from '@kannuki/core';
import type { StepContext } from './context.ts';
import { diskTrouble } from './disk-trouble.ts';
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
  } catch (thrown) {
    const error = diskTrouble(thrown);
    const current = await context.store.find(journal.name);
    if (current !== undefined && shouldTakeBack(error)) await takeBackIfPossible(current, context);
    throw error;
  }
}

/** What went wrong first is what has to be told; the journal that stays says how to go on, with the same command. */
async function takeBackIfPossible(journal: Journal, context: StepContext): Promise<void> {
  const { takeBack } = planOf(journal);
  if (!takeBack.isPossible(journal.step)) return;
  try {
    await takeBack.run(journal, context);
  } catch (thrown) {
    const error = diskTrouble(thrown);
    const what = (language: Language): string =>
      error instanceof KannukiError ? error.describe(language) : String(error);
    context.onEvent({
      kind: 'note',
      volume: journal.name,
      text: {
        en: `what was begun could not be taken back either: ${what('en')}; give the same command again, it goes on from here`,
        ja: `開始した処理を元に戻すこともできませんでした: ${what('ja')}。同じコマンドをもう一度実行すると続行します`,
      },
    });
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
