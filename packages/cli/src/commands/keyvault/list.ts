import { defineCommand } from '../../program/command.ts';
import { connectAdmin, dataOption } from '../server/admin-connection.ts';

export const command = defineCommand({
  options: { data: dataOption },
  examples: [{ line: 'kannuki keyvault list', does: { en: 'all key vaults', ja: 'すべてのキー コンテナー' } }],
  async run({ options }, context) {
    const vaults = await connectAdmin(options.data, context.environment).call('keyvault-list', {});
    return {
      data: vaults,
      table: () => ({
        columns: [{ title: 'Name' }, { title: 'ResourceGroup' }, { title: 'Location' }],
        rows: (vaults as readonly { name: string; resourceGroup: string; location: string }[]).map((vault) => [
          vault.name,
          vault.resourceGroup,
          vault.location,
        ]),
      }),
    };
  },
});
