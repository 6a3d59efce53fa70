import { connectAzure } from '../../azure-client/connect.ts';
import { defineCommand } from '../../program/command.ts';
import { findAssignments, roleOptions } from './roles.ts';

export const command = defineCommand({
  options: roleOptions,
  examples: [
    {
      line: 'kannuki role assignment list --assignee APPID -o table',
      does: { en: 'what an application may do', ja: 'アプリケーションのロールの一覧' },
    },
  ],
  async run({ options: { assignee, role, scope, data } }, context) {
    using azure = await connectAzure(data, context.environment);
    const found = await findAssignments(azure, { assignee, role, scope, exactly: scope !== undefined });
    return {
      data: found,
      table: () => ({
        columns: [{ title: 'Principal' }, { title: 'Role' }, { title: 'Scope', wrap: true }],
        rows: found.map((one) => [String(one.principalId), one.roleDefinitionName, one.scope]),
      }),
    };
  },
});
