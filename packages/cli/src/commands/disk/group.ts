import type { CommandGroup } from '../../program/command.ts';

export const diskCommands: CommandGroup = {
  name: 'disk',
  summary: { en: 'encrypt and look after the disks of this VM (root)', ja: 'この VM のディスクの暗号化と管理 (root)' },
  commands: [],
};
