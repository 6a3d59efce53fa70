import type { CommandGroup } from '../../program/command.ts';

export const imageCommands: CommandGroup = {
  name: 'image',
  summary: { en: 'VM images', ja: 'VM イメージ' },
  commands: [],
};
