import { readFile } from 'node:fs/promises';
import { defineCommand } from '../../program/command.ts';
import { number } from '../../program/options.ts';
import { connectAdmin } from '../server/admin-connection.ts';
import { vmOptions } from './vm-options.ts';

export const command = defineCommand({
  description: {
    en: 'What the serial console of the VM printed, newest boot last.',
    ja: 'VM のシリアル コンソールの出力を表示します。最新の起動が最後です。',
  },
  options: { ...vmOptions, lines: number('N', { en: 'only the last N lines', ja: '最後の N 行のみ' }) },
  examples: [
    { line: 'kannuki vm console -g rg1 -n vm1 --lines 50', does: { en: 'the last 50 lines', ja: '最後の 50 行' } },
  ],
  async run({ options: { resourceGroup, name, data, lines } }, context) {
    const { path } = await connectAdmin(data, context.environment).call('vm-console', { resourceGroup, name });
    const printed = (await readFile(path, 'latin1')).split(/\r?\n/);
    const shown = lines === undefined ? printed : printed.slice(-lines);
    return { data: { path, lines: shown }, text: shown.join('\n') };
  },
});
