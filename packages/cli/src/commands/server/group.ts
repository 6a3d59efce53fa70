import type { CommandGroup } from '../../program/command.ts';

export const serverCommands: CommandGroup = {
  name: 'server',
  summary: { en: 'the control plane', ja: 'コントロール プレーン' },
  commands: [],
};
