import type { CommandGroup } from '../../program/command.ts';

export const agentCommands: CommandGroup = {
  name: 'agent',
  summary: { en: 'the service inside a VM', ja: 'VM の中のサービス' },
  commands: [],
};
