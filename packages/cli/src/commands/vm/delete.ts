import { defineCommand } from '../../program/command.ts';
import { connectAdmin } from '../server/admin-connection.ts';
import { vmOptions } from './vm-options.ts';

export const command = defineCommand({
  description: {
    en: 'Powers the VM off and removes it with its disks. Its secrets stay in the vault.',
    ja: 'VM の電源を切り、ディスクとともに削除します。シークレットはキー コンテナーに残ります。',
  },
  options: vmOptions,
  examples: [
    { line: 'kannuki vm delete -g rg1 -n vm1 --yes', does: { en: 'without asking', ja: '確認なしで削除する' } },
  ],
  async run({ options: { resourceGroup, name, data } }, context) {
    const sure = await context.confirm({
      en: `Delete VM ${name} and all its disks?`,
      ja: `VM ${name} とそのすべてのディスクを削除しますか?`,
    });
    if (sure) await connectAdmin(data, context.environment).call('vm-delete', { resourceGroup, name });
    return {};
  },
});
