import { commandTable } from '../commands/registry.ts';
import type { CommandEntry } from './command.ts';
import { commonOptions } from './common-options.ts';
import { flagName } from './options.ts';

export interface Location {
  /** Words of the command as far as they lead somewhere: `[]`, `['support']`, `['support', 'check']`. */
  readonly path: readonly string[];
  /** The command, when the path is complete. */
  readonly entry: CommandEntry | undefined;
  /** The rest of the command line. Options given before the command's words come after it: both are the same. */
  readonly rest: readonly string[];
  /** `kannuki help …` */
  readonly help: boolean;
}

const valueFlags = new Set(
  Object.entries(commonOptions).flatMap(([name, option]) => {
    if (option.kind === 'flag') return [];
    return option.short === undefined ? [flagName(name)] : [flagName(name), `-${option.short}`];
  }),
);

/** Finds which command is meant, before any command's code is loaded. */
export function locate(argv: readonly string[]): Location {
  const path: string[] = [];
  const rest: string[] = [];
  let help = false;
  let index = 0;
  for (; index < argv.length; index++) {
    const word = argv[index] ?? '';
    if (word === '--' || entryOf(path) !== undefined) break;
    if (word.startsWith('-')) {
      rest.push(word);
      const value = argv[index + 1];
      if (valueFlags.has(word) && value !== undefined) {
        rest.push(value);
        index += 1;
      }
    } else if (word === 'help' && path.length === 0 && !help) {
      help = true;
    } else if (entriesBelow([...path, word]).length > 0) {
      path.push(word);
    } else {
      break;
    }
  }
  return { path, entry: entryOf(path), rest: [...rest, ...argv.slice(index)], help };
}

/** All commands that start with these words. */
export function entriesBelow(path: readonly string[]): CommandEntry[] {
  const name = path.join(' ');
  return commandTable.filter((entry) => name === '' || entry.path === name || entry.path.startsWith(`${name} `));
}

function entryOf(path: readonly string[]): CommandEntry | undefined {
  const name = path.join(' ');
  return commandTable.find((entry) => entry.path === name);
}

/**
 * The value of a common option, read before the command line is parsed: a message about a wrong command line must
 * already have the wanted language and form.
 */
export function peekOption(argv: readonly string[], names: readonly string[]): string | undefined {
  const end = argv.indexOf('--');
  const words = end === -1 ? argv : argv.slice(0, end);
  for (let index = words.length - 1; index >= 0; index--) {
    const word = words[index] ?? '';
    for (const name of names) {
      if (word === name) return words[index + 1];
      if (name.startsWith('--') && word.startsWith(`${name}=`)) return word.slice(name.length + 1);
      if (!name.startsWith('--') && word.startsWith(name)) return word.slice(name.length).replace(/^=/, '');
    }
  }
  return undefined;
}
