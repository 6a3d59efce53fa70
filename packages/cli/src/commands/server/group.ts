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
  ],
};
