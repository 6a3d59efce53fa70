import type { CommandGroup } from '../../program/command.ts';

export const loginCommands: CommandGroup = {
  name: 'login',
  summary: { en: 'log in to a server', ja: 'サーバーにログインする' },
  commands: [
    {
      path: 'login',
      summary: { en: 'log in to a server as a service principal', ja: 'サービス プリンシパルとしてログインする' },
      load: async () => (await import('./login.ts')).command,
    },
  ],
};
