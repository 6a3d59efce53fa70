import { defineCommand } from '../../program/command.ts';
import { connectAdmin } from '../server/admin-connection.ts';
import { vmOptions } from './vm-options.ts';

export const command = defineCommand({
  description: {
    en: "What the VM's agent reported last, in the shape of az: disks, status, substatus.",
    ja: 'VM のエージェントが最後に報告した内容を az と同じ形式 (disks、status、substatus) で表示します。',
  },
  options: vmOptions,
  examples: [
    {
      line: "kannuki vm encryption show -g rg1 -n vm1 --query 'substatus[0].message'",
      does: { en: 'the states of OS and data volumes', ja: 'OS ボリュームとデータ ボリュームの状態' },
    },
  ],
  async run({ options: { resourceGroup, name, data } }, context) {
    const view = await connectAdmin(data, context.environment).call('vm-encryption-show', { resourceGroup, name });
    if (view === null) {
      context.say({ en: 'Azure Disk Encryption is not enabled', ja: 'ディスク暗号化は有効になっていません' });
      return {};
    }
    return {
      data: view,
      table: () => ({
        columns: [{ title: 'Status' }, { title: 'Message', wrap: true }],
        rows: view.status.map(({ displayStatus, message }) => [displayStatus, message ?? '']),
      }),
    };
  },
});
