import { defineCommand } from '../../program/command.ts';
import { connectAdmin } from '../server/admin-connection.ts';
import { vmOptions } from './vm-options.ts';

export const command = defineCommand({
  description: {
    en: 'Starts a VM and hands it its keys on a key volume that is taken away when they were used. A VM that runs is left alone.',
    ja: 'VM を起動し、鍵をキー ボリュームで渡します。使用後は取り外します。動作中の VM には何もしません。',
  },
  options: vmOptions,
  examples: [{ line: 'kannuki vm start -g rg1 -n vm1', does: { en: 'start vm1', ja: 'vm1 を起動する' } }],
  async run({ options: { resourceGroup, name, data } }, context) {
    await connectAdmin(data, context.environment).call('vm-start', { resourceGroup, name });
    return {};
  },
});
