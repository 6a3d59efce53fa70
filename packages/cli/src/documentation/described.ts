import { commandTable } from '../commands/registry.ts';
import type { AnyCommand, CommandEntry } from '../program/command.ts';
import { commonOptions } from '../program/common-options.ts';
import type { Options } from '../program/options.ts';

/** A command with everything that documents are made from. */
export interface DescribedCommand {
  readonly entry: CommandEntry;
  readonly command: AnyCommand;
  /** The command's own options, then those that every command has. */
  readonly options: Options;
}

/** All commands of the table, loaded. */
export function describeCommands(): Promise<DescribedCommand[]> {
  return Promise.all(
    commandTable.map(async (entry) => {
      const command = await entry.load();
      return { entry, command, options: { ...command.options, ...commonOptions } };
    }),
  );
}
