import { defineCommand } from '../../program/command.ts';
import { choice, text } from '../../program/options.ts';
import { readSecret } from '../../program/read-secret.ts';
import { connectAdmin, dataOption } from './admin-connection.ts';

export const command = defineCommand({
  description: {
    en: 'Makes a new root key and seals every key and secret of the running server under it, while the vaults are in use. --to says how it is kept from now on: in a plain file of mode 0600 (default), under a passphrase, or in the token of [pkcs11]. The old root key opens the database no more.',
    ja: '新しいルート キーを作成し、動作中のサーバーのすべてのキーとシークレットをその下で封印し直します。キー コンテナーは使用したままで構いません。--to で以後の保管方法を指定します: モード 0600 のファイル (既定)、パスフレーズ、または [pkcs11] のトークン。古いルート キーではデータベースを開けなくなります。',
  },
  options: {
    to: choice(['file', 'passphrase', 'pkcs11'], { en: 'default file', ja: '既定は file' }),
    passphraseFile: text('FILE', {
      en: 'file of mode 0600 with the new passphrase; default terminal or standard input',
      ja: '新しいパスフレーズを格納したファイル (モード 0600)。既定は端末または標準入力',
    }),
    data: dataOption,
  },
  examples: [
    {
      line: 'kannuki server rekey --to passphrase',
      does: { en: 'keep the root key under a passphrase', ja: 'ルート キーをパスフレーズで保護する' },
    },
  ],
  notes: {
    en: 'Backups made before still need the root key of then: keep its file with them, and back vault.db and root.key up again now. The PIN of the token comes from pinFile or a credential, else from --passphrase-file.',
    ja: '以前のバックアップには当時のルート キーが必要です。そのファイルも一緒に保管し、vault.db と root.key を改めてバックアップしてください。トークンの PIN は pinFile または資格情報、なければ --passphrase-file から取得します。',
  },
  async run({ options }, context) {
    const { to = 'file', passphraseFile, data } = options;
    const admin = connectAdmin(data, context.environment);
    if (to !== 'passphrase' && passphraseFile === undefined) {
      return { data: await admin.callWithSecret('server-rekey', { to }, undefined) };
    }
    using secret = await readSecret({
      what: { en: 'new passphrase', ja: '新しいパスフレーズ' },
      language: context.language,
      file: passphraseFile,
      twice: true,
    });
    return { data: await admin.callWithSecret('server-rekey', { to }, secret) };
  },
});
