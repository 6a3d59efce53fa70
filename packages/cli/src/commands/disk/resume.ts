import { VolumeEngine } from '@kannuki/guest';
import { defineCommand } from '../../program/command.ts';
import { volumeOperand } from './volume-operand.ts';

export const command = defineCommand({
  description: {
    en: `Lets a paused conversion go on. Where no agent runs and no command waits for it, give the command that began it again.`,
    ja: `休止した変換を再開します。エージェントも待機中のコマンドもない場合は、開始したときのコマンドをもう一度実行してください。`,
  },
  operands: [volumeOperand],
  options: {},
  examples: [
    {
      line: 'kannuki disk resume /data0',
      does: { en: 'go on', ja: '再開する' },
    },
  ],
  async run({ operands }, context) {
    const volumes = await new VolumeEngine().setPace(operands, { paused: false });
    context.say({ en: 'The work goes on.', ja: '処理を再開します。' });
    return { data: volumes };
  },
});
