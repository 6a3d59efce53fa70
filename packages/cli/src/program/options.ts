import type { Text } from '@kannuki/core';
import { InvalidArgumentError } from 'commander';

/**
 * Options of commands as data: parsing, help, shell completion and man pages all come from this one description.
 * The key of an option is its name in camelCase; on the command line it is `--kebab-case`.
 */
export interface Option<Value> {
  readonly kind: 'flag' | 'switch' | 'value' | 'list';
  /** Word for the value in help, e.g. `N`; empty for flags. */
  readonly placeholder: string;
  readonly help: Text;
  /** One letter, without the dash. */
  readonly short: string | undefined;
  readonly required: boolean;
  readonly choices: readonly string[] | undefined;
  /** Turns one word of the command line into a value. @throws InvalidArgumentError, shown as a usage error */
  readonly parse: (word: string) => unknown;
  /** Only for the type checker: what the command's `run` gets. */
  readonly valueType?: Value;
}

export type Options = Readonly<Record<string, Option<unknown>>>;

/** What `run` gets for a set of options. */
export type OptionValues<Set extends Options> = {
  readonly [Name in keyof Set]: Set[Name] extends Option<infer Value> ? Value : never;
};

interface Extra {
  readonly short?: string;
}

interface RequiredExtra extends Extra {
  readonly required: true;
}

/** A switch: false unless given. */
export function flag(help: Text, extra: Extra = {}): Option<boolean> {
  return { ...base('flag', '', help, extra), parse: () => true };
}

/** A switch of az that takes a word or none: `--enabled`, `--enabled true`, `--enabled false`; undefined unless given. */
export function toggle(help: Text): Option<boolean | undefined> {
  return {
    ...base('switch', 'true|false', help, {}),
    choices: ['true', 'false'],
    parse: (word) => {
      if (!/^(?:true|false)$/i.test(word)) throw new InvalidArgumentError('one of true, false');
      return word.toLowerCase() === 'true';
    },
  };
}

/** A word or a sentence. */
export function text(placeholder: string, help: Text, extra: RequiredExtra): Option<string>;
export function text(placeholder: string, help: Text, extra?: Extra): Option<string | undefined>;
export function text(placeholder: string, help: Text, extra: Extra = {}): Option<string | undefined> {
  return base('value', placeholder, help, extra);
}

/** One of a few words; letter case is ignored and the spelling of `choices` is what `run` gets. */
export function choice<const Choice extends string>(
  choices: readonly Choice[],
  help: Text,
  extra: RequiredExtra,
): Option<Choice>;
export function choice<const Choice extends string>(
  choices: readonly Choice[],
  help: Text,
  extra?: Extra,
): Option<Choice | undefined>;
export function choice<const Choice extends string>(
  choices: readonly Choice[],
  help: Text,
  extra: Extra = {},
): Option<Choice | undefined> {
  return {
    ...base('value', choices.join('|'), help, extra),
    choices,
    parse: (word) => {
      const found = choices.find((one) => one.toLowerCase() === word.toLowerCase());
      if (found === undefined) throw new InvalidArgumentError(`one of ${choices.join(', ')}`);
      return found;
    },
  };
}

/** A number that is not negative. */
export function number(placeholder: string, help: Text, extra: RequiredExtra): Option<number>;
export function number(placeholder: string, help: Text, extra?: Extra): Option<number | undefined>;
export function number(placeholder: string, help: Text, extra: Extra = {}): Option<number | undefined> {
  return { ...base('value', placeholder, help, extra), parse: numberOf };
}

/**
 * A size in bytes, with K, M, G or T for its powers of 1024 as in dd(1) and fio(1): `50M`, `1.5G`, `4096`.
 * @param bounds bytes, both included
 */
export function bytes(
  placeholder: string,
  help: Text,
  bounds: { readonly least: number; readonly most: number },
): Option<number | undefined> {
  return {
    ...base('value', placeholder, help, {}),
    parse: (word) => {
      const [, digits, unit = ''] = /^(\d{1,15}(?:\.\d{1,3})?)([KMGT]?)(?:i?B)?$/i.exec(word) ?? [];
      const value = Math.round(Number(digits) * 1024 ** ' KMGT'.indexOf(unit.toUpperCase() || ' '));
      if (digits === undefined || value < bounds.least || value > bounds.most) {
        throw new InvalidArgumentError(`a size from ${bounds.least} to ${bounds.most}, e.g. 50M or 1.5G`);
      }
      return value;
    },
  };
}

/** Several words after one option, or the option several times; empty where it is not given. */
export function list(placeholder: string, help: Text, extra: Extra = {}): Option<readonly string[]> {
  return base('list', placeholder, help, extra);
}

/** As `list`, of numbers that are not negative. */
export function numberList(placeholder: string, help: Text, extra: Extra = {}): Option<readonly number[]> {
  return { ...base('list', placeholder, help, extra), parse: numberOf };
}

/** `rootUsedGb` → `--root-used-gb`. */
export function flagName(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function base(kind: Option<unknown>['kind'], placeholder: string, help: Text, extra: Extra | RequiredExtra) {
  return {
    kind,
    placeholder,
    help,
    short: extra.short,
    required: 'required' in extra,
    choices: undefined,
    parse: (word: string): unknown => word,
  };
}

function numberOf(word: string): number {
  if (!/^\d{1,15}(?:\.\d{1,9})?$/.test(word)) throw new InvalidArgumentError('a number, 0 or more');
  return Number(word);
}
