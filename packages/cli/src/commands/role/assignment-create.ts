import { randomUUID } from 'node:crypto';
import { connectAzure } from '../../azure-client/connect.ts';
import { dataOption } from '../../azure-client/data-option.ts';
import { authorizationApiVersion as apiVersion, subscriptionPath } from '../../azure-client/resources.ts';
import { defineCommand } from '../../program/command.ts';
import { text } from '../../program/options.ts';
import { assignmentShape, objectIdOfAssignee, roleDefinitions, roleId, scopeOf } from './roles.ts';

export const command = defineCommand({
  options: {
    assignee: text(
      'OBJECTID|APPID',
      {
        en: 'object id of a principal, or the client id of an application',
        ja: 'プリンシパルのオブジェクト ID、またはアプリケーションのクライアント ID',
      },
      { required: true },
    ),
    role: text('NAME|GUID', { en: 'name of the role, or its id', ja: 'ロールの名前または ID' }, { required: true }),
    scope: text(
      'ID',
      {
        en: 'what it is for: id of a subscription, group, vault, or VAULTID/secrets/NAME',
        ja: '対象: サブスクリプション、グループ、キー コンテナーの ID、または VAULTID/secrets/NAME',
      },
      { required: true },
    ),
    data: dataOption,
  },
  examples: [
    {
      line: "kannuki role assignment create --role 'Key Vault Secrets User' --assignee APPID --scope $(kannuki keyvault show -n kv1 --query id -o tsv)",
      does: { en: 'may read the secrets of kv1', ja: 'kv1 のシークレットの読み取りを許可する' },
    },
  ],
  async run({ options: { assignee, role, scope, data } }, context) {
    using azure = await connectAzure(data, context.environment);
    const at = await scopeOf(azure, scope);
    const principalId = await objectIdOfAssignee(azure, assignee);
    const reply = await azure.call({
      plane: 'management',
      method: 'PUT',
      path: `${at}/providers/Microsoft.Authorization/roleAssignments/${randomUUID()}`,
      apiVersion,
      body: {
        properties: { roleDefinitionId: await roleId(azure, role), principalId, principalType: 'ServicePrincipal' },
      },
      what: `role ${role} for ${assignee}`,
    });
    return { data: assignmentShape(reply.data, await roleDefinitions(azure, await subscriptionPath(azure))) };
  },
});
