import { resolve } from 'node:path';
import { defineCommand } from '../../program/command.ts';
import { text } from '../../program/options.ts';
import { connectAdmin, dataOption } from './admin-connection.ts';

export const command = defineCommand({
  description: {
    en: 'Copies the databases, the authority and the audit log of the running server to a new folder, each as of one moment. The root key is not in it: keep it elsewhere, once. To restore, put the root key into its "vault" folder and start a server on the folder. Images and disks of VMs are not in it either.',
    ja: '動作中のサーバーのデータベース、認証局、監査ログを、それぞれある一時点の内容で新しいフォルダーにコピーします。ルート キーは含まれません。別の場所に一度だけ保管してください。復元するには、ルート キーをその "vault" フォルダーに置き、そのフォルダーでサーバーを起動します。VM のイメージとディスクも含まれません。',
  },
  options: {
    to: text(
      'DIR',
      { en: 'the new folder; must not exist', ja: '新しいフォルダー。存在していてはなりません' },
      { required: true },
    ),
    data: dataOption,
  },
  examples: [
    {
      line: 'kannuki server backup --to /backup/kannuki-monday',
      does: { en: 'back up while the server works', ja: 'サーバーを動かしたままバックアップする' },
    },
  ],
  async run({ options }, context) {
    const directory = resolve(options.to);
    return { data: await connectAdmin(options.data, context.environment).call('server-backup', { directory }) };
  },
});
