import type { CommandGroup } from '../../program/command.ts';

export const completionCommands: CommandGroup = {
  name: 'completion',
  summary: { en: 'completion script for a shell', ja: 'シェル補完スクリプト' },
  commands: [
    {
      path: 'completion',
      summary: { en: 'print the completion script for a shell', ja: 'シェルの補完スクリプトを表示する' },
      load: async () => (await import('./completion.ts')).command,
    },
  ],
};
