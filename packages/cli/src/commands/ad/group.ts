import type { CommandGroup } from '../../program/command.ts';

export const adCommands: CommandGroup = {
  name: 'ad',
  summary: { en: 'service principals of a server', ja: 'サーバーのサービス プリンシパル' },
  commands: [
    {
      path: 'ad sp create',
      summary: {
        en: 'make a service principal with a secret',
        ja: 'シークレット付きのサービス プリンシパルを作成する',
      },
      load: async () => (await import('./sp-create.ts')).command,
    },
    {
      path: 'ad sp list',
      summary: { en: 'list the service principals', ja: 'サービス プリンシパルの一覧' },
      load: async () => (await import('./sp-list.ts')).command,
    },
    {
      path: 'ad sp delete',
      summary: { en: 'delete a service principal', ja: 'サービス プリンシパルを削除する' },
      load: async () => (await import('./sp-delete.ts')).command,
    },
    {
      path: 'ad sp reset-credentials',
      summary: {
        en: 'give a service principal a new secret, or a certificate',
        ja: 'サービス プリンシパルの資格情報を更新する',
      },
      load: async () => (await import('./sp-reset-credentials.ts')).command,
    },
  ],
};
