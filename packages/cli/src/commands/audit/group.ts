import type { CommandGroup } from '../../program/command.ts';

export const auditCommands: CommandGroup = {
  name: 'audit',
  summary: { en: 'who used the key vaults, and when', ja: 'キー コンテナーの利用記録' },
  commands: [
    {
      path: 'audit list',
      summary: { en: 'list audit records', ja: '監査記録の一覧' },
      load: async () => (await import('./list.ts')).command,
    },
    {
      path: 'audit verify',
      summary: { en: 'check that no record was changed or removed', ja: '監査記録の改ざんや欠落を検査する' },
      load: async () => (await import('./verify.ts')).command,
    },
  ],
};
