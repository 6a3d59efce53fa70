import { initServer } from '@kannuki/server';
import { readConfig } from '../../config/read-config.ts';
import { defineCommand } from '../../program/command.ts';
import { text } from '../../program/options.ts';
import { dataDirectory, dataOption } from './admin-connection.ts';
import { hostOpener } from './host.ts';

export const command = defineCommand({
  description: {
    en: 'Makes the data folder (mode 0700), the certificate authority, the databases, the root key of the vault and admin.json. What is there already stays.',
    ja: 'データ フォルダー (モード 0700)、認証局、データベース、キー コンテナーのルート キー、admin.json を作成します。既にあるものは変更しません。',
  },
  options: {
    data: dataOption,
    config: text('FILE', {
      en: 'configuration; default KANNUKI_CONFIG, then /etc/kannuki/kannuki.toml',
      ja: '設定ファイル。既定は KANNUKI_CONFIG、次に /etc/kannuki/kannuki.toml',
    }),
  },
  examples: [
    {
      line: 'kannuki server init --data ./data',
      does: { en: 'set up a server in ./data', ja: './data にサーバーを初期化する' },
    },
  ],
  notes: {
    en: 'Back the whole folder up: the root key and the database of the vault open your disks.',
    ja: 'フォルダー全体をバックアップしてください。ルート キーとキー コンテナーのデータベースでディスクが開きます。',
  },
  async run({ options }, context) {
    const config = await readConfig(options.config, context.environment);
    const { clientSecret: _, ...shown } = await initServer({
      dataDirectory: dataDirectory(options.data, context.environment),
      config,
      openHost: hostOpener(config),
    });
    // The administrator's secret is in admin.json (0600); standard output ends up in logs.
    return { data: shown };
  },
});
