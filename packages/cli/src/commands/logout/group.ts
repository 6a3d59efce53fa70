import type { CommandGroup } from '../../program/command.ts';

export const logoutCommands: CommandGroup = {
  name: 'logout',
  summary: { en: 'forget the login', ja: 'ログアウトする' },
  commands: [
    {
      path: 'logout',
      summary: {
        en: 'remove the login with its secret and tokens',
        ja: 'シークレットとトークンごとログインを削除する',
      },
      load: async () => (await import('./logout.ts')).command,
    },
  ],
};
