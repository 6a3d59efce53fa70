import type { CommandGroup } from '../../program/command.ts';

export const accountCommands: CommandGroup = {
  name: 'account',
  summary: { en: 'who is logged in', ja: 'ログイン中のアカウント' },
  commands: [
    {
      path: 'account show',
      summary: { en: 'show who is logged in, and where', ja: 'ログイン中のアカウントとサーバーを表示する' },
      load: async () => (await import('./show.ts')).command,
    },
  ],
};
