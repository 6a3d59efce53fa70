import { defineCommand } from '../../program/command.ts';
import { flag } from '../../program/options.ts';
import { connectAdmin, dataOption } from '../server/admin-connection.ts';

const buildSeconds = 7200;

export const command = defineCommand({
  description: {
    en: 'Builds a VM image with the agent inside from the packages of its distribution. An image whose inputs have not changed is not built again.',
    ja: 'ディストリビューションのパッケージから、エージェント入りの VM イメージを作成します。入力が変わっていなければ作り直しません。',
  },
  operands: [{ name: 'name', help: { en: 'e.g. debian-12', ja: '例: debian-12' }, required: true, variadic: false }],
  options: { force: flag({ en: 'build again in any case', ja: '常に作り直す' }), data: dataOption },
  examples: [{ line: 'kannuki image build debian-12', does: { en: 'Debian 12', ja: 'Debian 12' } }],
  async run({ options: { force, data }, operands: [name = ''] }, context) {
    let last = '';
    const image = await connectAdmin(data, context.environment).call(
      'image-build',
      { name, force },
      {
        timeoutSeconds: buildSeconds,
        onProgress: ({ step, detail }) => {
          if (step !== last) context.say({ en: `image ${name}: ${step}`, ja: `イメージ ${name}: ${step}` });
          last = step;
          context.detail({ en: detail, ja: detail });
        },
      },
    );
    return { data: image };
  },
});
