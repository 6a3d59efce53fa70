import { type ErrorCode, KannukiError } from '@kannuki/core';
import type { CommanderError } from 'commander';

/**
 * What commander reports, as an error of ours: same codes, same one line, both languages. Its own text is not kept, and
 * words that may be part of a value are not shown: `--pasword=SECRET`, or a passphrase with spaces and without quotes.
 */
export function usageError(error: CommanderError, command: string): KannukiError {
  const [first = '', second = ''] = [...error.message.matchAll(/'([^']*)'/g)].map((match) => match[1] ?? '');
  const suggestion = /\(Did you mean (?:one of )?(.*)\?\)/.exec(error.message)?.[1];
  const hint = suggestion === undefined ? '' : ` (${suggestion}?)`;
  const make = (code: ErrorCode, details: Record<string, string>): KannukiError =>
    new KannukiError(code, { details: { command, ...details } });
  switch (error.code) {
    case 'commander.unknownOption':
      return make('KNK-CLI-0001', { word: first.replace(/=.*$/s, ''), hint });
    case 'commander.unknownCommand':
      return make('KNK-CLI-0002', { word: first, hint });
    case 'commander.missingArgument':
      return make('KNK-CLI-0003', { word: first.toUpperCase() });
    case 'commander.optionMissingArgument':
    case 'commander.missingMandatoryOptionValue':
      return make('KNK-CLI-0003', { word: first });
    case 'commander.excessArguments':
      return make('KNK-CLI-0010', { count: excess(error.message) });
    case 'commander.invalidArgument':
      return make('KNK-CLI-0004', {
        word: first,
        value: second,
        expected: error.message.slice(error.message.indexOf('is invalid. ') + 'is invalid. '.length),
      });
    default:
      return make('KNK-CLI-0005', { problem: error.message.replace(/^error: /, '').split('\n', 1)[0] ?? '' });
  }
}

/** `Expected 1 argument but got 3: …`. */
function excess(message: string): string {
  const [, expected = '0', got = '1'] = /Expected (\d+) arguments? but got (\d+)/.exec(message) ?? [];
  return String(Number(got) - Number(expected));
}
