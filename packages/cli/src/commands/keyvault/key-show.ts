import { defineCommand } from '../../program/command.ts';
import { connectAdmin } from '../server/admin-connection.ts';
import { keyOptions } from './key-options.ts';

export const command = defineCommand({
  options: keyOptions,
  examples: [
    {
      line: 'kannuki keyvault key show --vault-name kv1 -n kek1 --query key.kid',
      does: { en: 'id of the newest version', ja: '最新バージョンの ID' },
    },
  ],
  async run({ options: { vaultName, name, data } }, context) {
    return { data: await connectAdmin(data, context.environment).call('keyvault-key-show', { vaultName, name }) };
  },
});
