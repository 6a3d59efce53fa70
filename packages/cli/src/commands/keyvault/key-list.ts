import { defineCommand } from '../../program/command.ts';
import { connectAdmin } from '../server/admin-connection.ts';
import { keyVaultOption } from './key-options.ts';

export const command = defineCommand({
  options: keyVaultOption,
  examples: [
    { line: 'kannuki keyvault key list --vault-name kv1', does: { en: 'the keys of kv1', ja: 'kv1 のキーの一覧' } },
  ],
  async run({ options: { vaultName, data } }, context) {
    return { data: await connectAdmin(data, context.environment).call('keyvault-key-list', { vaultName }) };
  },
});
