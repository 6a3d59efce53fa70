import type { CommandGroup } from '../../program/command.ts';

export const manCommands: CommandGroup = {
  name: 'man',
  summary: { en: 'manual page of a command', ja: 'コマンドのマニュアル ページ' },
  commands: [
    {
      path: 'man',
      summary: { en: 'print the manual page of a command', ja: 'コマンドのマニュアル ページを表示する' },
      load: async () => (await import('./man.ts')).command,
    },
  ],
};
