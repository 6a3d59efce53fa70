import type { CommandGroup } from '../../program/command.ts';

export const serverCommands: CommandGroup = {
  name: 'server',
  summary: { en: 'the control plane', ja: 'コントロール プレーン' },
  commands: [
    {
      path: 'server init',
      summary: { en: 'set up a data folder', ja: 'データ フォルダーを初期化する' },
      load: async () => (await import('./init.ts')).command,
    },
    {
      path: 'server start',
      summary: { en: 'run the server', ja: 'サーバーを起動する' },
      load: async () => (await import('./start.ts')).command,
    },
    {
      path: 'server backup',
      summary: { en: 'copy what the running server knows', ja: '動作中のサーバーの内容をコピーする' },
      load: async () => (await import('./backup.ts')).command,
    },
    {
      path: 'server seal',
      summary: { en: 'make the running server forget the root key', ja: '動作中のサーバーにルート キーを忘れさせる' },
      load: async () => (await import('./seal.ts')).command,
    },
    {
      path: 'server unseal',
      summary: { en: 'open the vaults of a sealed server', ja: '封印されたサーバーのキー コンテナーを開く' },
      load: async () => (await import('./unseal.ts')).command,
    },
    {
      path: 'server rekey',
      summary: { en: 'replace the root key of the vaults', ja: 'キー コンテナーのルート キーを交換する' },
      load: async () => (await import('./rekey.ts')).command,
    },
  ],
};
