import { connectAzure } from '../../../azure-client/connect.ts';
import { findVault, withGroup } from '../../../azure-client/resources.ts';
import { defineCommand } from '../../../program/command.ts';
import { vaultOptions } from './vault-options.ts';

export const command = defineCommand({
  options: vaultOptions,
  examples: [
    {
      line: 'kannuki keyvault show -n kv1 --query properties.vaultUri',
      does: { en: 'address of the vault', ja: 'キー コンテナーのアドレス' },
    },
  ],
  async run({ options: { name, resourceGroup, data } }, context) {
    using azure = await connectAzure(data, context.environment);
    return { data: withGroup(await findVault(azure, name, resourceGroup)) };
  },
});
