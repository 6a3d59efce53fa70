import { VolumeEngine } from '@kannuki/guest';
import { defineCommand } from '../../program/command.ts';

export const command = defineCommand({
  operands: [
    {
      name: 'target',
      help: { en: 'mount point, device or volume name', ja: 'マウント ポイント、デバイス、またはボリューム名' },
      required: true,
      variadic: false,
    },
  ],
  options: {},
  examples: [
    {
      line: 'kannuki disk recover /data0',
      does: { en: 'print the steps; keep them with your papers', ja: '手順を表示する。控えとして保管してください' },
    },
  ],
  async run({ operands }, { language }) {
    const [target = ''] = operands;
    const steps = await new VolumeEngine().recoverySteps(target);
    const data = steps.map(({ what, command: line }) => ({ what: what[language], command: line }));
    const text = data
      .map(({ what, command: line }, index) => `${index + 1}. ${what}\n${line === null ? '' : `     ${line}\n`}`)
      .join('\n');
    return { data, text };
  },
});
