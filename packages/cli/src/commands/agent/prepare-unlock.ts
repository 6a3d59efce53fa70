import { VolumeEngine } from '@kannuki/guest';
import { defineCommand } from '../../program/command.ts';

export const command = defineCommand({
  description: {
    en: "Called by the boot before it unlocks a volume whose conversion is not over: makes cryptsetup's recovery safe against a second power cut.",
    ja: '変換が終わっていないボリュームのロックを起動時に解除する前に呼び出されます。cryptsetup の復旧を二度目の停電に対して安全にします。',
  },
  operands: [
    { name: 'volume', help: { en: 'name of the volume', ja: 'ボリューム名' }, required: true, variadic: false },
  ],
  options: {},
  examples: [
    {
      line: 'kannuki agent prepare-unlock kn_data0',
      does: { en: 'what the unit of the volume does', ja: 'ボリュームのユニットが実行する内容' },
    },
  ],
  async run({ operands }) {
    const [volume = ''] = operands;
    await new VolumeEngine().prepareUnlock(volume);
    return {};
  },
});
