import type { CommandGroup } from '../../program/command.ts';

export const supportCommands: CommandGroup = {
  name: 'support',
  summary: {
    en: 'what can be encrypted: images, sizes, memory (needs no server)',
    ja: '暗号化できるもの: イメージ、サイズ、メモリ (サーバー不要)',
  },
  commands: [
    {
      path: 'support check',
      summary: { en: 'can this VM be encrypted?', ja: 'この VM は暗号化できるか' },
      load: async () => (await import('./check.ts')).command,
    },
    {
      path: 'support images',
      summary: { en: 'list the supported images', ja: 'サポートされているイメージの一覧' },
      load: async () => (await import('./images.ts')).command,
    },
    {
      path: 'support sizes',
      summary: {
        en: 'list the VM sizes and what can be encrypted on them',
        ja: 'VM サイズと暗号化できるボリュームの一覧',
      },
      load: async () => (await import('./sizes.ts')).command,
    },
  ],
};
