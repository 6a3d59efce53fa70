import { KannukiError, SecretBytes } from '@kannuki/core';
import { AzureConnection } from '../../azure-client/connection.ts';
import { type Login, loginFolder, writeLogin } from '../../azure-client/login-file.ts';
import { readLine } from '../../azure-client/private-files.ts';
import { objectIdOf, TokenSource } from '../../azure-client/token-source.ts';
import { defineCommand } from '../../program/command.ts';
import { flag, text } from '../../program/options.ts';
import { dataOption } from '../server/admin-connection.ts';
import { accountShape } from './account-shape.ts';
import { findServer } from './find-server.ts';

const secretLimitBytes = 4096;

export const command = defineCommand({
  description: {
    en: "Proves who you are to a server and remembers it for the commands that follow. The login file (login.json, mode 0600, in KANNUKI_CONFIG_DIR or ~/.config/kannuki) keeps the client secret, so that new tokens can be had, and short-lived tokens; of a certificate it keeps the file's path only.",
    ja: 'サーバーに対して認証し、以降のコマンドのために記録します。ログイン ファイル (login.json、モード 0600、KANNUKI_CONFIG_DIR または ~/.config/kannuki) には、新しいトークンを取得するためのクライアント シークレットと有効期間の短いトークンが保存されます。証明書はファイルのパスのみ保存されます。',
  },
  options: {
    server: text('URL', {
      en: "address of the server; default from admin.json of the server's data folder",
      ja: 'サーバーのアドレス。既定はデータ フォルダーの admin.json から',
    }),
    ca: text('FILE', {
      en: 'authority (PEM) that signs the server; default as for --server',
      ja: 'サーバー証明書の認証局 (PEM)。既定は --server と同じ',
    }),
    servicePrincipal: flag({ en: 'as in az; the only kind of login', ja: 'az と同じ。唯一のログイン方式' }),
    username: text('ID', { en: 'client id', ja: 'クライアント ID' }, { short: 'u', required: true }),
    password: text(
      'SECRET|@FILE|@-',
      {
        en: 'client secret; others on this machine can see it in the process list, so better @FILE or @- (standard input)',
        ja: 'クライアント シークレット。プロセス一覧から見えるため、@FILE または @- (標準入力) を推奨',
      },
      { short: 'p' },
    ),
    passwordFile: text('FILE', {
      en: 'file with the client secret; - is standard input',
      ja: 'クライアント シークレットのファイル。- は標準入力',
    }),
    certificate: text('FILE', {
      en: 'PEM file with private key and certificate, in place of a secret',
      ja: 'シークレットの代わりに使う、秘密鍵と証明書の PEM ファイル',
    }),
    tenant: text('TENANT', { en: 'tenant id', ja: 'テナント ID' }, { short: 't', required: true }),
    data: dataOption,
  },
  examples: [
    {
      line: 'kannuki login --data ./data --service-principal -u ID --password-file ./secret --tenant T',
      does: { en: 'to the server of this machine', ja: 'このマシンのサーバーにログインする' },
    },
    {
      line: 'kannuki login --server https://kannuki.example:8443 --ca ca.pem --service-principal -u ID --certificate me.pem --tenant T',
      does: { en: 'to another machine, with a certificate', ja: '証明書で別のマシンにログインする' },
    },
  ],
  async run({ options }, context) {
    const { username, tenant, certificate } = options;
    using clientSecret = await secretOf(options);
    const place = await findServer(options, context.environment);
    const way = { kind: 'https', server: place.server, ca: place.ca } as const;
    const tokens: Record<string, Login['tokens'][string]> = {};
    const source = new TokenSource({
      way,
      credential: { tenantId: tenant, clientId: username, clientSecret, certificateFile: certificate ?? null },
      onNew: async (fresh) => {
        Object.assign(tokens, fresh);
      },
    });
    const objectId = objectIdOf(await source.token(place.server)) ?? username;
    const connection = new AzureConnection({ way, tokens: source, vaultDnsSuffix: place.vaultDnsSuffix });
    const subscriptions = await connection.subscriptions();
    const first = subscriptions[0];
    if (first === undefined) {
      const reason = 'it has no access to any subscription of this tenant';
      throw new KannukiError('KNK-AZC-0008', { details: { client: username, reason } });
    }
    await writeLogin(loginFolder(context.environment), {
      login: {
        ...place,
        tenantId: tenant,
        subscriptionId: first.subscriptionId,
        subscriptionName: first.displayName,
        clientId: username,
        objectId,
        certificateFile: certificate ?? null,
        tokens,
      },
      clientSecret,
    });
    return { data: subscriptions.map((one) => accountShape(one, username, one === first)) };
  },
});

async function secretOf(options: {
  readonly password: string | undefined;
  readonly passwordFile: string | undefined;
  readonly certificate: string | undefined;
}): Promise<SecretBytes | undefined> {
  const { password, passwordFile, certificate } = options;
  const given = [password, passwordFile, certificate].filter((one) => one !== undefined);
  if (given.length !== 1) {
    const problem = 'give one of --password, --password-file and --certificate';
    throw new KannukiError('KNK-CLI-0005', { details: { problem, command: 'kannuki login' } });
  }
  if (passwordFile !== undefined) return readLine(passwordFile, secretLimitBytes);
  if (password?.startsWith('@') === true) return readLine(password.slice(1), secretLimitBytes);
  return password === undefined ? undefined : SecretBytes.take(Buffer.from(password, 'utf8'));
}
