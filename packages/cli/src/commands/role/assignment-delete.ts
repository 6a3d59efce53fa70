import { KannukiError } from '@kannuki/core';
import { connectAzure } from '../../azure-client/connect.ts';
import { authorizationApiVersion as apiVersion } from '../../azure-client/resources.ts';
import { defineCommand } from '../../program/command.ts';
import { list } from '../../program/options.ts';
import { findAssignments, roleOptions, scopeOf } from './roles.ts';

export const command = defineCommand({
  description: {
    en: 'Takes away the assignments that are named by id, or that all of assignee, role and scope fit.',
    ja: 'ID で指定した割り当て、または指定した割り当て先、ロール、スコープのすべてに一致する割り当てを削除します。',
  },
  options: {
    ...roleOptions,
    ids: list('ID', { en: 'ids of assignments', ja: '割り当ての ID' }),
  },
  examples: [
    {
      line: "kannuki role assignment delete --assignee APPID --role 'Key Vault Secrets User' --scope ID",
      does: { en: 'may not read secrets any more', ja: 'シークレットの読み取り権限を取り消す' },
    },
  ],
  async run({ options: { assignee, role, scope, ids, data } }, context) {
    if (ids.length === 0 && assignee === undefined && role === undefined) {
      // Without this, a forgotten option would take everybody's roles away.
      const details = { word: '--assignee, --role or --ids', command: 'kannuki role assignment delete' };
      throw new KannukiError('KNK-CLI-0003', { details });
    }
    using azure = await connectAzure(data, context.environment);
    const filter = { assignee, role, scope, exactly: true };
    const wanted = ids.length > 0 ? ids : (await findAssignments(azure, filter)).map(({ id }) => id);
    if (wanted.length === 0) {
      const details = { what: 'role assignment', reason: 'none fits what was given' };
      throw new KannukiError('KNK-AZC-0001', { details });
    }
    for (const id of wanted) {
      await azure.call({
        plane: 'management',
        method: 'DELETE',
        path: await scopeOf(azure, id),
        apiVersion,
        what: `role assignment ${id}`,
      });
    }
    return {};
  },
});
