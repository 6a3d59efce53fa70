import type { CommandEntry, CommandGroup } from '../program/command.ts';
import { accountCommands } from './account/group.ts';
import { adCommands } from './ad/group.ts';
import { agentCommands } from './agent/group.ts';
import { auditCommands } from './audit/group.ts';
import { completionCommands } from './completion/group.ts';
import { diskCommands } from './disk/group.ts';
import { groupCommands } from './group/group.ts';
import { imageCommands } from './image/group.ts';
import { keyvaultCommands } from './keyvault/group.ts';
import { loginCommands } from './login/group.ts';
import { logoutCommands } from './logout/group.ts';
import { manCommands } from './man/group.ts';
import { roleCommands } from './role/group.ts';
import { serverCommands } from './server/group.ts';
import { supportCommands } from './support/group.ts';
import { vmCommands } from './vm/group.ts';

/**
 * The command table. To add `kannuki disk list`:
 *
 * 1. `commands/disk/list.ts` exports one command:
 *
 *        import { defineCommand } from '../../program/command.ts';
 *        import { flag, text } from '../../program/options.ts';
 *
 *        export const command = defineCommand({
 *          operands: [{ name: 'target', help: { en: '…', ja: '…' }, required: false, variadic: true }],
 *          options: { root: text('DIR', { en: '…', ja: '…' }), all: flag({ en: '…', ja: '…' }) },
 *          examples: [{ line: 'kannuki disk list -o json', does: { en: '…', ja: '…' } }],
 *          async run({ options, operands }, context) {
 *            const volumes = await …;                     // options.root: string | undefined, options.all: boolean
 *            return { data: volumes, table: () => ({ columns: […], rows: […] }) };
 *          },
 *        });
 *
 * 2. `commands/disk/group.ts` names it, without importing it, so that `kannuki --version` stays fast:
 *
 *        { path: 'disk list', summary: { en: '…', ja: '…' }, load: async () => (await import('./list.ts')).command }
 *
 * `run` returns data (rendered by `-o` and `--query`), throws KannukiError on failure, and writes nothing itself except
 * through its context. A refusal by checks: throw an error of exit `refused` with `findings`, or return data with
 * `exitCode: exitCodes.refused`. Common options (`-o`, `--query`, `--lang`, `--yes`, …) are there for every command.
 */
export const commandGroups: readonly CommandGroup[] = [
  supportCommands,
  diskCommands,
  agentCommands,
  serverCommands,
  loginCommands,
  logoutCommands,
  accountCommands,
  groupCommands,
  vmCommands,
  keyvaultCommands,
  roleCommands,
  adCommands,
  auditCommands,
  imageCommands,
  completionCommands,
  manCommands,
];

export const commandTable: readonly CommandEntry[] = commandGroups.flatMap((group) => group.commands);
