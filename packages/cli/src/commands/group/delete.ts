import { connectAzure } from '../../azure-client/connect.ts';
import { groupPath, resourceApiVersion, untilEnd } from '../../azure-client/resources.ts';
import { defineCommand } from '../../program/command.ts';
import { flag } from '../../program/options.ts';
import { groupOptions } from './group-options.ts';

export const command = defineCommand({
  description: {
    en: 'Deletes the group and everything in it. Its key vaults can be recovered while they are kept (soft delete).',
    ja: 'グループとその中のすべてを削除します。キー コンテナーは保持期間中 (論理的な削除) 復旧できます。',
  },
  options: {
    ...groupOptions,
    noWait: flag({ en: 'do not wait for the end', ja: '完了を待たない' }),
  },
  examples: [{ line: 'kannuki group delete -n rg1 --yes', does: { en: 'without asking', ja: '確認なしで削除する' } }],
  async run({ options: { name, noWait, data } }, context) {
    const sure = await context.confirm({
      en: `Delete the resource group ${name} and everything in it?`,
      ja: `リソース グループ ${name} とその中のすべてを削除しますか?`,
    });
    if (!sure) return {};
    using azure = await connectAzure(data, context.environment);
    const what = `resource group ${name}`;
    const path = await groupPath(azure, name);
    const apiVersion = resourceApiVersion;
    const reply = await azure.call({ plane: 'management', method: 'DELETE', path, apiVersion, what });
    if (!noWait) await untilEnd(azure, reply, what, context);
    return {};
  },
});
