import { startServer } from '@kannuki/server';
import { readConfig } from '../../config/read-config.ts';
import { defineCommand } from '../../program/command.ts';
import { text } from '../../program/options.ts';
import { dataDirectory, dataOption } from './admin-connection.ts';
import { hostOpener, sayFailure } from './host.ts';

export const command = defineCommand({
  description: {
    en: 'Serves agents over HTTPS and the administrator of this machine through a socket in the data folder. Where that folder is empty it is set up first. Prints one line "ready URL" on standard output when it serves; SIGTERM ends it cleanly. VMs go on running without it.',
    ja: 'エージェントには HTTPS、このマシンの管理者にはデータ フォルダー内のソケットでサービスを提供します。フォルダーが空の場合は先に初期化します。準備が整うと標準出力に "ready URL" を 1 行出力します。SIGTERM で正常に終了します。サーバーが停止しても VM は動作を続けます。',
  },
  options: {
    data: dataOption,
    listen: text('HOST:PORT', {
      en: 'where agents connect; default: configuration, else as the last time, else 127.0.0.1:8443',
      ja: 'エージェントの接続先。既定は設定ファイル、前回の値、127.0.0.1:8443 の順',
    }),
    config: text('FILE', {
      en: 'configuration; default KANNUKI_CONFIG, then /etc/kannuki/kannuki.toml',
      ja: '設定ファイル。既定は KANNUKI_CONFIG、次に /etc/kannuki/kannuki.toml',
    }),
  },
  examples: [
    {
      line: 'kannuki server start --data ./data --listen 127.0.0.1:8443',
      does: { en: 'set up ./data where it is empty, and serve', ja: './data が空なら初期化し、サーバーを起動する' },
    },
  ],
  async run({ options }, context) {
    // Asked for at once: from here on SIGTERM means a clean end, also while the server is still starting.
    const { signal } = context;
    const config = await readConfig(options.config, context.environment);
    const server = await startServer({
      dataDirectory: dataDirectory(options.data, context.environment),
      listen: options.listen,
      config,
      openHost: hostOpener(config),
      onFailure: (failure) => sayFailure(failure, context),
    });
    try {
      if (server.sealed) {
        context.say({
          en: 'the key vaults are sealed: run "kannuki server unseal"; until then every vault call is answered with 503',
          ja: 'キー コンテナーは封印されています。"kannuki server unseal" を実行してください。それまで、キー コンテナーへの呼び出しには 503 を返します',
        });
      }
      context.writeLine(`ready ${server.url}`);
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        else signal.addEventListener('abort', () => resolve(), { once: true });
      });
    } finally {
      await server.close();
    }
    return {};
  },
});
