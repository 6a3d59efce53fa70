import { defineCommand } from '../../program/command.ts';
import { text } from '../../program/options.ts';
import { connectAdmin, dataOption } from '../server/admin-connection.ts';

export const command = defineCommand({
  options: {
    name: text('KV', { en: 'name of the key vault', ja: 'キー コンテナーの名前' }, { short: 'n', required: true }),
    data: dataOption,
  },
  examples: [
    {
      line: 'kannuki keyvault show -n kv1 --query properties.vaultUri',
      does: { en: 'address of the vault', ja: 'キー コンテナーのアドレス' },
    },
  ],
  async run({ options: { name, data } }, context) {
    return { data: await connectAdmin(data, context.environment).call('keyvault-show', { name }) };
  },
});
