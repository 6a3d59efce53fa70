import { VolumeEngine } from '@kannuki/guest';
import { defineCommand } from '../../program/command.ts';
import { volumeOperand } from './volume-operand.ts';

export const command = defineCommand({
  description: {
    en: `Lets the conversion of a volume rest, at the end of the piece that it works on. The volume stays in use. The pause outlives a reboot.`,
    ja: `処理中の部分が終わりしだい、ボリュームの変換を休止します。ボリュームは使用できるままです。休止は再起動後も続きます。`,
  },
  operands: [volumeOperand],
  options: {},
  examples: [
    {
      line: 'kannuki disk pause /data0',
      does: { en: 'rest until `disk resume`', ja: '`disk resume` まで休止する' },
    },
  ],
  async run({ operands }, context) {
    const volumes = await new VolumeEngine().setPace(operands, { paused: true });
    context.say({ en: 'The work rests as soon as its piece is done.', ja: '処理中の部分が終わりしだい休止します。' });
    return { data: volumes };
  },
});
