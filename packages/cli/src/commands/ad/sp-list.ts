import { defineCommand } from '../../program/command.ts';
import { connectAdmin, dataOption } from '../server/admin-connection.ts';

export const command = defineCommand({
  options: { data: dataOption },
  examples: [
    { line: 'kannuki ad sp list', does: { en: 'all service principals', ja: 'すべてのサービス プリンシパル' } },
  ],
  async run({ options }, context) {
    const principals = await connectAdmin(options.data, context.environment).call('ad-sp-list', {});
    return {
      data: principals,
      table: () => ({
        columns: [{ title: 'DisplayName' }, { title: 'AppId' }, { title: 'Id' }, { title: 'ServicePrincipalType' }],
        rows: principals.map((one) => [one.displayName, one.appId, one.id, one.servicePrincipalType]),
      }),
    };
  },
});
