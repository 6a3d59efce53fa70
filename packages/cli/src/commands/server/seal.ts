import { defineCommand } from '../../program/command.ts';
import { connectAdmin, dataOption } from './admin-connection.ts';

export const command = defineCommand({
  description: {
    en: 'Makes the running server forget the root key and every key that it opened. Until "kannuki server unseal" every vault call is answered with 503, and VMs that boot wait for their keys; running VMs run on.',
    ja: '動作中のサーバーに、ルート キーと開いたすべてのキーを忘れさせます。"kannuki server unseal" を実行するまで、キー コンテナーへの呼び出しには 503 を返し、起動中の VM はキーを待ちます。動作中の VM はそのまま動作します。',
  },
  options: { data: dataOption },
  examples: [{ line: 'kannuki server seal', does: { en: 'seal the vaults', ja: 'キー コンテナーを封印する' } }],
  async run({ options }, context) {
    return { data: await connectAdmin(options.data, context.environment).call('server-seal', {}) };
  },
});
