import { connectAzure } from '../../../azure-client/connect.ts';
import { groupOf, propertiesOf } from '../../../azure-client/resources.ts';
import { defineCommand } from '../../../program/command.ts';
import { text } from '../../../program/options.ts';
import { deletedVaultOptions, findDeletedVault } from './deleted-vaults.ts';
import { putVault } from './put-vault.ts';

export const command = defineCommand({
  description: {
    en: 'Brings a deleted vault back with all that is in it. Role assignments on it are gone (as in Azure) and must be made again.',
    ja: '削除されたキー コンテナーを中身ごと復旧します。ロールの割り当ては (Azure と同じく) 失われるため、再度割り当ててください。',
  },
  options: {
    ...deletedVaultOptions,
    resourceGroup: text(
      'RG',
      { en: 'resource group; default the one it was in', ja: 'リソース グループ。既定は元のグループ' },
      { short: 'g' },
    ),
  },
  examples: [{ line: 'kannuki keyvault recover -n kv1', does: { en: 'bring kv1 back', ja: 'kv1 を復旧する' } }],
  async run({ options: { name, location, resourceGroup, data } }, context) {
    using azure = await connectAzure(data, context.environment);
    const deleted = propertiesOf(await findDeletedVault(azure, name, location));
    const { tenantId } = await azure.subscription();
    const group = resourceGroup ?? groupOf(deleted.vaultId) ?? '';
    const properties = { tenantId, sku: { family: 'A', name: 'standard' }, createMode: 'recover', accessPolicies: [] };
    const body = { location: deleted.location ?? location, properties };
    return { data: await putVault(azure, { group, name }, body, context) };
  },
});
