import type { CommandGroup } from '../../program/command.ts';

export const keyvaultCommands: CommandGroup = {
  name: 'keyvault',
  summary: { en: 'key vaults of a server', ja: 'サーバーのキー コンテナー' },
  commands: [],
};
