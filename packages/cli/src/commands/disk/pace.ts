import { KannukiError } from '@kannuki/core';
import { VolumeEngine } from '@kannuki/guest';
import { bytesText } from '../../output/progress.ts';
import { defineCommand } from '../../program/command.ts';
import { flag } from '../../program/options.ts';
import { rateOption } from './rate-option.ts';
import { volumeOperand } from './volume-operand.ts';

export const command = defineCommand({
  description: {
    en: `Says how fast volumes may be converted. A running conversion takes it up within seconds. Whatever the rate, the conversion
steps back by itself while the machine's own programs wait for the volume.`,
    ja: `変換速度の上限を設定します。実行中の変換には数秒以内に反映されます。上限にかかわらず、マシン自身のプログラムがボリュームを
待っている間、変換は自動的に控えめになります。`,
  },
  operands: [volumeOperand],
  options: {
    maxRate: rateOption,
    full: flag({ en: 'take the limit away', ja: '上限をなくす' }),
  },
  examples: [
    {
      line: 'kannuki disk pace /data0 --max-rate 50M',
      does: { en: 'at most 50 MiB a second', ja: '毎秒 50 MiB まで' },
    },
    { line: 'kannuki disk pace --full', does: { en: 'as fast as it goes', ja: '上限なし' } },
  ],
  async run({ options, operands }) {
    const { maxRate, full } = options;
    if ((maxRate === undefined) === !full) {
      const problem = 'give either --max-rate or --full';
      throw new KannukiError('KNK-CLI-0005', { details: { command: 'disk pace', problem } });
    }
    const volumes = await new VolumeEngine().setPace(operands, { maximumRate: maxRate ?? null });
    return {
      data: volumes,
      table: () => ({
        columns: [{ title: 'Volume' }, { title: 'Rate' }, { title: 'Paused' }],
        rows: volumes.map(({ volume, maximumRate, paused }) => [
          volume,
          maximumRate === null ? 'full' : `${bytesText(maximumRate)}/s`,
          String(paused),
        ]),
      }),
    };
  },
});
