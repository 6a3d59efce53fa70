import { hasCode } from '@kannuki/core';
import { defineCommand } from '../../program/command.ts';
import { text } from '../../program/options.ts';
import { readSecret } from '../../program/read-secret.ts';
import { connectAdmin, dataOption } from './admin-connection.ts';

export const command = defineCommand({
  description: {
    en: 'Opens the vaults of a sealed server. Where the root key needs a passphrase, or its token a PIN, it is read from the terminal, from standard input up to its end, or from a file of mode 0600, and sent through the socket in the data folder. The first unseal of a new data folder with a passphrase makes the root key.',
    ja: '封印されたサーバーのキー コンテナーを開きます。ルート キーにパスフレーズ、またはトークンに PIN が必要な場合は、端末、標準入力 (終端まで)、またはモード 0600 のファイルから読み取り、データ フォルダー内のソケット経由で送信します。パスフレーズを使用する新しいデータ フォルダーでは、最初の実行時にルート キーが作成されます。',
  },
  options: {
    passphraseFile: text('FILE', {
      en: 'file of mode 0600 with the passphrase or PIN',
      ja: 'パスフレーズまたは PIN を格納したファイル (モード 0600)',
    }),
    data: dataOption,
  },
  examples: [
    {
      line: 'kannuki server unseal --passphrase-file /run/keys/passphrase',
      does: { en: 'unseal with a passphrase from a file', ja: 'ファイルのパスフレーズで開封する' },
    },
  ],
  async run({ options }, context) {
    const admin = connectAdmin(options.data, context.environment);
    const state = await admin.call('server-seal-status', {});
    if (!state.sealed) return { data: state };
    if (options.passphraseFile === undefined && !state.isNew) {
      // The machine may have all that is needed: nobody is asked in vain.
      try {
        return { data: await admin.callWithSecret('server-unseal', {}, undefined) };
      } catch (error) {
        if (!hasCode(error, 'KNK-KVT-0027')) throw error;
      }
    }
    using secret = await readSecret({
      what: { en: 'passphrase or PIN', ja: 'パスフレーズまたは PIN' },
      language: context.language,
      file: options.passphraseFile,
      twice: state.isNew,
    });
    return { data: await admin.callWithSecret('server-unseal', {}, secret) };
  },
});
