import type { CommandGroup } from '../../program/command.ts';

export const vmCommands: CommandGroup = {
  name: 'vm',
  summary: { en: 'VMs of a server', ja: 'サーバーの VM' },
  commands: [],
};
