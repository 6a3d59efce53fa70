import type { CommandGroup } from '../../program/command.ts';

export const keyvaultCommands: CommandGroup = {
  name: 'keyvault',
  summary: { en: 'key vaults of a server', ja: 'サーバーのキー コンテナー' },
  commands: [
    {
      path: 'keyvault create',
      summary: { en: 'make a key vault', ja: 'キー コンテナーを作成する' },
      load: async () => (await import('./create.ts')).command,
    },
    {
      path: 'keyvault list',
      summary: { en: 'list the key vaults', ja: 'キー コンテナーの一覧' },
      load: async () => (await import('./list.ts')).command,
    },
    {
      path: 'keyvault show',
      summary: { en: 'show a key vault', ja: 'キー コンテナーを表示する' },
      load: async () => (await import('./show.ts')).command,
    },
    {
      path: 'keyvault key create',
      summary: { en: 'make a key', ja: 'キーを作成する' },
      load: async () => (await import('./key-create.ts')).command,
    },
    {
      path: 'keyvault key list',
      summary: { en: 'list the keys of a vault', ja: 'キー コンテナーのキーの一覧' },
      load: async () => (await import('./key-list.ts')).command,
    },
    {
      path: 'keyvault key show',
      summary: { en: 'show a key', ja: 'キーを表示する' },
      load: async () => (await import('./key-show.ts')).command,
    },
  ],
};
