import { defineCommand } from '../../program/command.ts';
import { connectAdmin } from '../server/admin-connection.ts';
import { vmOptions } from './vm-options.ts';

export const command = defineCommand({
  description: {
    en: 'Asks the VM to shut down; the power goes off when it has, or after a time. A VM that is off is left alone.',
    ja: 'VM にシャットダウンを要求し、完了後または一定時間後に電源を切ります。停止中の VM には何もしません。',
  },
  options: vmOptions,
  examples: [{ line: 'kannuki vm stop -g rg1 -n vm1', does: { en: 'shut vm1 down', ja: 'vm1 をシャットダウンする' } }],
  async run({ options: { resourceGroup, name, data } }, context) {
    await connectAdmin(data, context.environment).call('vm-stop', { resourceGroup, name });
    return {};
  },
});
