import { connectAzure } from '../../../azure-client/connect.ts';
import { dataOption } from '../../../azure-client/data-option.ts';
import { groupPath, subscriptionPath, withGroup } from '../../../azure-client/resources.ts';
import { defineCommand } from '../../../program/command.ts';
import { text } from '../../../program/options.ts';

export const command = defineCommand({
  options: {
    resourceGroup: text('RG', { en: 'only this resource group', ja: 'このリソース グループのみ' }, { short: 'g' }),
    data: dataOption,
  },
  examples: [{ line: 'kannuki keyvault list', does: { en: 'all key vaults', ja: 'すべてのキー コンテナー' } }],
  async run({ options: { resourceGroup, data } }, context) {
    using azure = await connectAzure(data, context.environment);
    const base = resourceGroup === undefined ? await subscriptionPath(azure) : await groupPath(azure, resourceGroup);
    const path = `${base}/providers/Microsoft.KeyVault/vaults`;
    const vaults = (await azure.list({ plane: 'management', path, what: 'key vaults' })).map(withGroup);
    return {
      data: vaults,
      table: () => ({
        columns: [{ title: 'Name' }, { title: 'ResourceGroup' }, { title: 'Location' }],
        rows: vaults.map(({ name, resourceGroup: group, location }) => [String(name), String(group), String(location)]),
      }),
    };
  },
});
