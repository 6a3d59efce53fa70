import { exitCodes, KannukiError } from '@kannuki/core';
import type { Outcome } from '@kannuki/guest';
import type { CommandContext } from '../../program/context.ts';

/**
 * What a command says of several volumes: the results as data, a line for each that failed, and the exit code of the first
 * failure. Where only one volume was named its failure is the command's.
 */
export function resultsOf<Result>(
  outcomes: readonly Outcome<Result>[],
  context: CommandContext,
): { readonly results: readonly Result[]; readonly exitCode: number } {
  let exitCode: number = exitCodes.done;
  const results: Result[] = [];
  for (const outcome of outcomes) {
    if ('result' in outcome) {
      results.push(outcome.result);
      continue;
    }
    const { target, error } = outcome;
    if (outcomes.length === 1) throw error;
    if (exitCode === exitCodes.done) exitCode = error instanceof KannukiError ? error.exitCode : exitCodes.failed;
    const text = error instanceof Error ? error.message : String(error);
    context.say({ en: `${target}: ${text}`, ja: `${target}: ${text}` });
  }
  return { results, exitCode };
}
