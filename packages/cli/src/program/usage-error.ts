import { type ErrorCode, KannukiError } from '@kannuki/core';
import type { CommanderError } from 'commander';

/** What commander reports, as an error of ours: same codes, same one line, both languages. */
export function usageError(error: CommanderError, command: string): KannukiError {
  const [first = '', second = ''] = [...error.message.matchAll(/'([^']*)'/g)].map((match) => match[1] ?? '');
  const suggestion = /\(Did you mean (?:one of )?(.*)\?\)/.exec(error.message)?.[1];
  const hint = suggestion === undefined ? '' : ` (${suggestion}?)`;
  const make = (code: ErrorCode, details: Record<string, string>): KannukiError =>
    new KannukiError(code, { details: { command, ...details }, cause: error });
  switch (error.code) {
    case 'commander.unknownOption':
      return make('KNK-CLI-0001', { word: first, hint });
    case 'commander.unknownCommand':
      return make('KNK-CLI-0002', { word: first, hint });
    case 'commander.missingArgument':
      return make('KNK-CLI-0003', { word: first.toUpperCase() });
    case 'commander.optionMissingArgument':
    case 'commander.missingMandatoryOptionValue':
      return make('KNK-CLI-0003', { word: first });
    case 'commander.excessArguments':
      return make('KNK-CLI-0010', {
        word: error.message.slice(error.message.lastIndexOf(': ') + 2).replace(/\.$/, ''),
      });
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
