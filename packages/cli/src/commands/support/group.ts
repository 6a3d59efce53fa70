import type { CommandGroup } from '../../program/command.ts';

export const supportCommands: CommandGroup = {
  name: 'support',
  summary: {
    en: 'what can be encrypted: images, sizes, memory (needs no server)',
    ja: '暗号化できるもの: イメージ、サイズ、メモリ (サーバー不要)',
  },
  commands: [],
};
