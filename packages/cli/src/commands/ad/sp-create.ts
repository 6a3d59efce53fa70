import { defineCommand } from '../../program/command.ts';
import { text } from '../../program/options.ts';
import { connectAdmin, dataOption } from '../server/admin-connection.ts';

export const command = defineCommand({
  description: {
    en: 'Makes a service principal and a secret of 256 random bits. The secret is in the answer and nowhere else: the server keeps a hash.',
    ja: 'サービス プリンシパルと 256 ビットのランダムなシークレットを作成します。シークレットが表示されるのはこの一度だけで、サーバーが保存するのはハッシュのみです。',
  },
  options: {
    displayName: text('NAME', { en: 'for people', ja: '表示名' }, { short: 'n', required: true }),
    data: dataOption,
  },
  examples: [
    {
      line: 'kannuki ad sp create -n backup-job > backup-job.json',
      does: { en: 'an identity for a script', ja: 'スクリプト用の ID を作成する' },
    },
  ],
  notes: {
    en: 'It may do nothing until a vault or a role gives it something. The twin in az: az ad sp create-for-rbac.',
    ja: 'キー コンテナーやロールで権限を与えるまでは何もできません。az では az ad sp create-for-rbac に相当します。',
  },
  async run({ options: { displayName, data } }, context) {
    return { data: await connectAdmin(data, context.environment).call('ad-sp-create', { displayName }) };
  },
});
