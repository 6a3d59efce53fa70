import { defineCommand } from '../../program/command.ts';
import { connectAdmin } from '../server/admin-connection.ts';
import { vmOptions } from './vm-options.ts';

export const command = defineCommand({
  description: {
    en: 'The VM as az shows it; what only Kannuki knows (volumes, ssh port, key volume) is under "kannuki".',
    ja: 'az と同じ形式で VM を表示します。Kannuki 固有の情報 (ボリューム、ssh ポート、キー ボリューム) は "kannuki" の下にあります。',
  },
  options: vmOptions,
  examples: [
    {
      line: 'kannuki vm show -g rg1 -n vm1 --query kannuki.volumes',
      does: { en: 'the volumes that its agent reported last', ja: 'エージェントが最後に報告したボリューム' },
    },
  ],
  async run({ options: { resourceGroup, name, data } }, context) {
    return { data: await connectAdmin(data, context.environment).call('vm-show', { resourceGroup, name }) };
  },
});
