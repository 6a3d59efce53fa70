import type { CommandGroup } from '../../program/command.ts';

export const agentCommands: CommandGroup = {
  name: 'agent',
  summary: { en: 'the service inside a VM', ja: 'VM の中のサービス' },
  commands: [
    {
      path: 'agent run',
      summary: { en: 'run the service', ja: 'サービスを実行する' },
      load: async () => (await import('./run.ts')).command,
    },
    {
      path: 'agent join',
      summary: { en: 'make this VM a member of a server', ja: 'この VM をサーバーに参加させる' },
      load: async () => (await import('./join.ts')).command,
    },
    {
      path: 'agent status',
      summary: { en: 'membership of this VM', ja: 'この VM の参加状態' },
      load: async () => (await import('./status.ts')).command,
    },
    {
      path: 'agent prepare-unlock',
      summary: { en: 'called by the boot before an unlock', ja: '起動時にロック解除の前に呼び出される' },
      load: async () => (await import('./prepare-unlock.ts')).command,
    },
    {
      path: 'agent settle-unlock',
      summary: { en: 'called by the boot after an unlock', ja: '起動時にロック解除の後に呼び出される' },
      load: async () => (await import('./settle-unlock.ts')).command,
    },
  ],
};
