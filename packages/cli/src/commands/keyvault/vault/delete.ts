import { connectAzure } from '../../../azure-client/connect.ts';
import { findVault, untilEnd } from '../../../azure-client/resources.ts';
import { defineCommand } from '../../../program/command.ts';
import { vaultOptions } from './vault-options.ts';

export const command = defineCommand({
  description: {
    en: 'Deletes a key vault softly: nothing in it can be used, and `keyvault recover` brings it back while it is kept.',
    ja: 'キー コンテナーを論理的に削除します。中身は使用できなくなりますが、保持期間中は `keyvault recover` で復旧できます。',
  },
  options: vaultOptions,
  examples: [{ line: 'kannuki keyvault delete -n kv1', does: { en: 'delete kv1', ja: 'kv1 を削除する' } }],
  async run({ options: { name, resourceGroup, data } }, context) {
    using azure = await connectAzure(data, context.environment);
    const { id } = await findVault(azure, name, resourceGroup);
    const what = `key vault ${name}`;
    const reply = await azure.call({ plane: 'management', method: 'DELETE', path: String(id), what });
    await untilEnd(azure, reply, what, context);
    return {};
  },
});
