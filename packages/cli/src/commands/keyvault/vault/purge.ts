import { connectAzure } from '../../../azure-client/connect.ts';
import { propertiesOf, untilEnd } from '../../../azure-client/resources.ts';
import { cellText } from '../../../output/table.ts';
import { defineCommand } from '../../../program/command.ts';
import { deletedPath, deletedVaultOptions, findDeletedVault } from './deleted-vaults.ts';

export const command = defineCommand({
  description: {
    en: 'Destroys a deleted vault with all its keys and secrets. Disks whose keys were only in there can never be opened again.',
    ja: '削除されたキー コンテナーを、すべてのキーとシークレットごと完全に消去します。鍵がそこにしかないディスクは二度と開けません。',
  },
  options: deletedVaultOptions,
  examples: [{ line: 'kannuki keyvault purge -n kv1 --yes', does: { en: 'without asking', ja: '確認なしで消去する' } }],
  async run({ options: { name, location, data } }, context) {
    const sure = await context.confirm({
      en: `Destroy the deleted key vault ${name} and everything in it, for ever?`,
      ja: `削除されたキー コンテナー ${name} とその中のすべてを完全に消去しますか?`,
    });
    if (!sure) return {};
    using azure = await connectAzure(data, context.environment);
    const found = await findDeletedVault(azure, name, location);
    const where = cellText(propertiesOf(found).location ?? location);
    const path = `${await deletedPath(azure, name, where)}/purge`;
    const what = `deleted key vault ${name}`;
    const reply = await azure.call({ plane: 'management', method: 'POST', path, what });
    await untilEnd(azure, reply, what, context);
    return {};
  },
});
