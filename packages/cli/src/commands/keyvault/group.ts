import type { CommandGroup } from '../../program/command.ts';
import { keyEntries } from './key/commands.ts';
import { secretEntries } from './secret/commands.ts';
import { vaultEntries } from './vault/commands.ts';

export const keyvaultCommands: CommandGroup = {
  name: 'keyvault',
  summary: { en: 'key vaults of a server', ja: 'サーバーのキー コンテナー' },
  commands: [...vaultEntries, ...keyEntries, ...secretEntries],
};
