import type { CommandGroup } from '../../program/command.ts';

export const groupCommands: CommandGroup = {
  name: 'group',
  summary: { en: 'resource groups of a server', ja: 'サーバーのリソース グループ' },
  commands: [
    {
      path: 'group create',
      summary: { en: 'make a resource group', ja: 'リソース グループを作成する' },
      load: async () => (await import('./create.ts')).command,
    },
    {
      path: 'group list',
      summary: { en: 'list the resource groups', ja: 'リソース グループの一覧' },
      load: async () => (await import('./list.ts')).command,
    },
    {
      path: 'group show',
      summary: { en: 'show a resource group', ja: 'リソース グループを表示する' },
      load: async () => (await import('./show.ts')).command,
    },
    {
      path: 'group exists',
      summary: { en: 'is there such a resource group', ja: 'リソース グループの有無を調べる' },
      load: async () => (await import('./exists.ts')).command,
    },
    {
      path: 'group delete',
      summary: { en: 'delete a resource group with all in it', ja: 'リソース グループを中身ごと削除する' },
      load: async () => (await import('./delete.ts')).command,
    },
  ],
};
