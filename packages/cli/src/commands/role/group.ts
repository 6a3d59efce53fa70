import type { CommandGroup } from '../../program/command.ts';

export const roleCommands: CommandGroup = {
  name: 'role',
  summary: { en: 'who may do what', ja: 'ロールと権限' },
  commands: [
    {
      path: 'role assignment create',
      summary: { en: 'give somebody a role', ja: 'ロールを割り当てる' },
      load: async () => (await import('./assignment-create.ts')).command,
    },
    {
      path: 'role assignment list',
      summary: { en: 'list who has which role', ja: 'ロールの割り当ての一覧' },
      load: async () => (await import('./assignment-list.ts')).command,
    },
    {
      path: 'role assignment delete',
      summary: { en: 'take a role away', ja: 'ロールの割り当てを削除する' },
      load: async () => (await import('./assignment-delete.ts')).command,
    },
    {
      path: 'role definition list',
      summary: { en: 'list the roles', ja: 'ロールの一覧' },
      load: async () => (await import('./definition-list.ts')).command,
    },
  ],
};
