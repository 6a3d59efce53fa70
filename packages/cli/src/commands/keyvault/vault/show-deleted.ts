import { connectAzure } from '../../../azure-client/connect.ts';
import { defineCommand } from '../../../program/command.ts';
import { deletedVaultOptions, findDeletedVault } from './deleted-vaults.ts';

export const command = defineCommand({
  options: deletedVaultOptions,
  examples: [
    {
      line: 'kannuki keyvault show-deleted -n kv1',
      does: { en: 'when it will be purged', ja: '消去される日を調べる' },
    },
  ],
  async run({ options: { name, location, data } }, context) {
    using azure = await connectAzure(data, context.environment);
    return { data: await findDeletedVault(azure, name, location) };
  },
});
