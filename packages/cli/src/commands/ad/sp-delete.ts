import { defineCommand } from '../../program/command.ts';
import { connectAdmin, dataOption } from '../server/admin-connection.ts';
import { idOption } from './id-option.ts';

export const command = defineCommand({
  description: {
    en: 'Deletes a service principal with its credentials; its tokens stop to work at once. The first administrator stays.',
    ja: 'サービス プリンシパルを資格情報ごと削除します。トークンは直ちに無効になります。最初の管理者は削除できません。',
  },
  options: { id: idOption, data: dataOption },
  examples: [
    {
      line: 'kannuki ad sp delete --id 6c0f3f3e-5b0a-4c55-9f0e-2f9d1f1f7a11 --yes',
      does: { en: 'without being asked', ja: '確認なしで削除する' },
    },
  ],
  async run({ options: { id, data } }, context) {
    const question = { en: `Delete the service principal ${id}?`, ja: `サービス プリンシパル ${id} を削除しますか?` };
    if (await context.confirm(question)) {
      await connectAdmin(data, context.environment).call('ad-sp-delete', { id });
    }
    return {};
  },
});
