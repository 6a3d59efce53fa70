import type { CatalogueEntry } from './entry.ts';

/** Errors with the prefix KNK-AGT: the agent in the VM and its way to the server. */
export const agentErrors = {
  'KNK-AGT-0001': {
    exit: 'badConfiguration',
    http: 500,
    message: {
      en: 'this VM has not joined a server: {path} is missing',
      ja: 'この VM はサーバーに参加していません: {path} がありません',
    },
    remedy: {
      en: 'run `kannuki agent join --server URL --token T`',
      ja: '`kannuki agent join --server URL --token T` を実行してください',
    },
  },
  'KNK-AGT-0002': {
    exit: 'failed',
    http: 409,
    message: {
      en: 'this VM has already joined {server} as {vm}',
      ja: 'この VM は既に {vm} として {server} に参加しています',
    },
    remedy: {
      en: 'add --force to join again; the old certificate is then given up',
      ja: '参加し直す場合は --force を付けてください。古い証明書は破棄されます',
    },
  },
  'KNK-AGT-0003': {
    exit: 'unavailable',
    http: 503,
    message: {
      en: 'the server {server} cannot be reached: {reason}',
      ja: 'サーバー {server} に接続できません: {reason}',
    },
    remedy: {
      en: 'check the address, the network and that the server runs; work that has begun goes on without it',
      ja: 'アドレス、ネットワーク、サーバーの動作を確認してください。開始済みの処理はサーバーなしでも継続します',
    },
  },
  'KNK-AGT-0004': {
    exit: 'notPermitted',
    http: 502,
    message: {
      en: 'the certificate of {server} is not trusted: {reason}',
      ja: '{server} の証明書を信頼できません: {reason}',
    },
    remedy: {
      en: 'check that the address is the right one and that --ca names the authority of this server',
      ja: 'アドレスが正しいこと、および --ca がこのサーバーの認証局を指していることを確認してください',
    },
  },
  'KNK-AGT-0005': {
    exit: 'failed',
    http: 502,
    message: {
      en: 'the server {server} refused {call} with status {status}',
      ja: 'サーバー {server} は {call} を状態コード {status} で拒否しました',
    },
    remedy: {
      en: 'see the log of the server for the reason',
      ja: '理由はサーバーのログで確認してください',
    },
  },
  'KNK-AGT-0006': {
    exit: 'failed',
    http: 502,
    message: {
      en: 'the server {server} gave an answer to {call} that makes no sense: {reason}',
      ja: '{call} に対するサーバー {server} の応答を解釈できません: {reason}',
    },
    remedy: {
      en: 'check that the address is that of a Kannuki server of the same version',
      ja: 'アドレスが同じバージョンの Kannuki サーバーのものであることを確認してください',
    },
  },
  'KNK-AGT-0007': {
    exit: 'badConfiguration',
    http: 500,
    message: {
      en: 'the file {path} of the agent is damaged: {reason}',
      ja: 'エージェントのファイル {path} が破損しています: {reason}',
    },
    remedy: {
      en: 'join again with a new token: `kannuki agent join --force --server URL --token T`',
      ja: '新しいトークンで参加し直してください: `kannuki agent join --force --server URL --token T`',
    },
  },
  'KNK-AGT-0008': {
    exit: 'usage',
    http: 400,
    message: { en: 'the join token is not usable: {reason}', ja: '参加トークンを使用できません: {reason}' },
    remedy: {
      en: 'copy the token whole, as the server printed it',
      ja: 'サーバーが表示したトークン全体をそのままコピーしてください',
    },
  },
  'KNK-AGT-0009': {
    exit: 'usage',
    http: 400,
    message: {
      en: 'the server address {url} is not usable: {reason}',
      ja: 'サーバーのアドレス {url} は使用できません: {reason}',
    },
    remedy: { en: 'give it as https://HOST:PORT', ja: 'https://HOST:PORT の形式で指定してください' },
  },
  'KNK-AGT-0010': {
    exit: 'notFound',
    http: 404,
    message: { en: 'this VM has no volume {target}', ja: 'この VM にボリューム {target} はありません' },
    remedy: {
      en: 'mount it; `kannuki disk list` shows the volumes that there are',
      ja: 'マウントしてください。存在するボリュームは `kannuki disk list` で確認できます',
    },
  },
  'KNK-AGT-0011': {
    exit: 'failed',
    http: 500,
    message: { en: 'the work on {target} failed: {reason}', ja: '{target} の処理に失敗しました: {reason}' },
    remedy: {
      en: 'this is a bug in the agent; the journal of the VM has more: `journalctl -u kannuki-agent`',
      ja: 'エージェントの不具合です。詳細は VM のジャーナルにあります: `journalctl -u kannuki-agent`',
    },
  },
} as const satisfies Record<string, CatalogueEntry>;
