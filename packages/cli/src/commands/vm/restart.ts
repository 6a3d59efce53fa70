import { defineCommand } from '../../program/command.ts';
import { connectAdmin } from '../server/admin-connection.ts';
import { vmOptions } from './vm-options.ts';

export const command = defineCommand({
  description: {
    en: 'Stops the VM and starts it again, so that the new boot gets its keys.',
    ja: 'VM を停止して再び起動します。新しい起動で鍵が渡されます。',
  },
  options: vmOptions,
  examples: [{ line: 'kannuki vm restart -g rg1 -n vm1', does: { en: 'restart vm1', ja: 'vm1 を再起動する' } }],
  async run({ options: { resourceGroup, name, data } }, context) {
    await connectAdmin(data, context.environment).call('vm-restart', { resourceGroup, name });
    return {};
  },
});
