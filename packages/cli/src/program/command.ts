import type { Text } from '@kannuki/core';
import type { Table } from '../output/table.ts';
import type { CommandContext } from './context.ts';
import type { Options, OptionValues } from './options.ts';

/** A word without a dash after the command's name. */
export interface Operand {
  readonly name: string;
  readonly help: Text;
  readonly required: boolean;
  /** Takes all words that are left; only the last operand may. */
  readonly variadic: boolean;
}

export interface Example {
  readonly line: string;
  readonly does: Text;
}

/** What a command answers; the program renders it as the user asked (`-o`, `--query`). */
export interface CommandResult {
  /** JSON-ready data; keys are never translated. Leave out where there is nothing to say. */
  readonly data?: unknown;
  /** How `data` looks as a table; without it the columns are the keys of the data. */
  readonly table?: () => Table;
  /** Text for people in place of a table, e.g. numbered steps. */
  readonly text?: string;
  /** One sentence for people, on standard error with the table form. */
  readonly summary?: Text;
  /** One of `exitCodes`; 0 where it is left out. A failure is thrown, not returned. */
  readonly exitCode?: number;
}

/** What was on the command line, parsed and checked. */
export interface CommandInput<Set extends Options> {
  readonly options: OptionValues<Set>;
  readonly operands: readonly string[];
}

export interface Command<Set extends Options = Options> {
  /** More than the one-line summary that the registry has; shown by `--help` and in the man page. */
  readonly description?: Text;
  readonly operands?: readonly Operand[];
  readonly options: Set;
  /** At least one: a test holds it. */
  readonly examples: readonly [Example, ...Example[]];
  /** Shown below the examples: what to know, what to run next. */
  readonly notes?: Text;
  /** @throws KannukiError; the program turns it into one line and an exit code */
  run(input: CommandInput<Set>, context: CommandContext): Promise<CommandResult>;
}

/** A command whose option types are forgotten: what the program works with. */
export type AnyCommand = Omit<Command, 'run'> & {
  run(input: CommandInput<never>, context: CommandContext): Promise<CommandResult>;
};

/** Lets TypeScript infer the types of `run`'s options. */
export function defineCommand<const Set extends Options>(command: Command<Set>): Command<Set> {
  return command;
}

/** A row of the command table: all that `--help` and completion need without loading the command's code. */
export interface CommandEntry {
  /** Words after `kannuki`, e.g. `vm encryption enable`. */
  readonly path: string;
  readonly summary: Text;
  readonly load: () => Promise<AnyCommand>;
}

/** The first word of commands, with what they have in common. */
export interface CommandGroup {
  readonly name: string;
  readonly summary: Text;
  readonly commands: readonly CommandEntry[];
}
