import { VolumeEngine } from '@kannuki/guest';
import { defineCommand } from '../../program/command.ts';

export const command = defineCommand({
  description: {
    en: 'Called by the boot after it has unlocked such a volume and before it mounts it: flushes the disk, then drops what prepare-unlock kept.',
    ja: 'ロック解除後、マウント前に呼び出されます。ディスクをフラッシュしてから、prepare-unlock が保管したものを破棄します。',
  },
  operands: [
    { name: 'volume', help: { en: 'name of the volume', ja: 'ボリューム名' }, required: true, variadic: false },
  ],
  options: {},
  examples: [
    {
      line: 'kannuki agent settle-unlock kn_data0',
      does: { en: 'what the unit of the volume does', ja: 'ボリュームのユニットが実行する内容' },
    },
  ],
  async run({ operands }) {
    const [volume = ''] = operands;
    await new VolumeEngine().settleUnlock(volume);
    return {};
  },
});
