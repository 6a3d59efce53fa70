import type { CommandGroup } from '../../program/command.ts';

export const imageCommands: CommandGroup = {
  name: 'image',
  summary: { en: 'VM images', ja: 'VM イメージ' },
  commands: [
    {
      path: 'image build',
      summary: { en: 'build a VM image', ja: 'VM イメージを作成する' },
      load: async () => (await import('./build.ts')).command,
    },
    {
      path: 'image list',
      summary: { en: 'list the VM images', ja: 'VM イメージの一覧' },
      load: async () => (await import('./list.ts')).command,
    },
  ],
};
