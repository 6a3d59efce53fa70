import type { CatalogueEntry } from './entry.ts';

/** Errors with the prefix KNK-SRV: the control plane. */
export const serverErrors = {
  'KNK-SRV-0001': {
    exit: 'tryAgain',
    http: 503,
    message: { en: 'another server works on {directory}', ja: '別のサーバーが {directory} を使用中です' },
    remedy: {
      en: 'stop it first, or give this one a folder of its own with --data',
      ja: '先にそのサーバーを停止するか、--data で専用のフォルダーを指定してください',
    },
  },
  'KNK-SRV-0002': {
    exit: 'badConfiguration',
    http: 500,
    message: {
      en: 'the data folder {directory} cannot be used: {reason}',
      ja: 'データ フォルダー {directory} を使用できません: {reason}',
    },
    remedy: {
      en: 'give a folder of mode 0700 that belongs to the user who runs the server, with a path of at most 90 bytes',
      ja: 'サーバーを実行するユーザーが所有する、モード 0700、パスが 90 バイト以内のフォルダーを指定してください',
    },
  },
  'KNK-SRV-0003': {
    exit: 'notFound',
    http: 404,
    message: {
      en: 'there is no VM {vm} in the resource group {group}',
      ja: 'リソース グループ {group} に VM {vm} はありません',
    },
    remedy: { en: '`kannuki vm list` shows the VMs', ja: 'VM は `kannuki vm list` で確認できます' },
  },
  'KNK-SRV-0004': {
    exit: 'failed',
    http: 409,
    message: { en: 'the {kind} {name} exists already', ja: '{kind} {name} は既に存在します' },
    remedy: { en: 'take another name, or delete it first', ja: '別の名前を使うか、先に削除してください' },
  },
  'KNK-SRV-0005': {
    exit: 'notPermitted',
    http: 401,
    message: {
      en: 'the join token is not accepted: it is unknown, used or too old',
      ja: '参加トークンは受け付けられません: 不明、使用済み、または期限切れです',
    },
    remedy: {
      en: 'restart the VM on its host, which gives it a new token, or ask the operator for one',
      ja: 'ホスト上で VM を再起動すると新しいトークンが渡されます。または運用者に発行を依頼してください',
    },
  },
  'KNK-SRV-0006': {
    exit: 'tryAgain',
    http: 429,
    message: {
      en: 'too many failed attempts to join from this address',
      ja: 'このアドレスからの参加の失敗が多すぎます',
    },
    remedy: {
      en: 'wait {seconds} s, then try again with a valid token',
      ja: '{seconds} 秒待ってから、有効なトークンで再試行してください',
    },
  },
  'KNK-SRV-0007': {
    exit: 'notPermitted',
    http: 401,
    message: {
      en: 'a client certificate that this server issued and has not revoked is needed',
      ja: 'このサーバーが発行した、失効していないクライアント証明書が必要です',
    },
    remedy: {
      en: 'join again with a new token: `kannuki agent join --force --server URL --token T`',
      ja: '新しいトークンで参加し直してください: `kannuki agent join --force --server URL --token T`',
    },
  },
  'KNK-SRV-0008': {
    exit: 'usage',
    http: 400,
    message: { en: 'the certificate request is refused: {reason}', ja: '証明書の要求は拒否されました: {reason}' },
    remedy: {
      en: 'send a PKCS#10 request with an ECDSA P-256 key, signed by that key',
      ja: 'ECDSA P-256 キーで署名された PKCS#10 要求を送信してください',
    },
  },
  'KNK-SRV-0009': {
    exit: 'usage',
    http: 400,
    message: { en: 'the request is not understood: {reason}', ja: '要求を解釈できません: {reason}' },
    remedy: { en: 'send what the interface describes', ja: 'インターフェイスの仕様に従って送信してください' },
  },
  'KNK-SRV-0010': {
    exit: 'notFound',
    http: 404,
    message: { en: 'there is no key vault {vault}', ja: 'キー コンテナー {vault} はありません' },
    remedy: {
      en: 'create it: `kannuki keyvault create -n {vault} -g GROUP --enabled-for-disk-encryption`',
      ja: '作成してください: `kannuki keyvault create -n {vault} -g GROUP --enabled-for-disk-encryption`',
    },
  },
  'KNK-SRV-0011': {
    exit: 'refused',
    http: 400,
    message: { en: '{subject} is refused by {count} rule(s)', ja: '{subject} は {count} 件の規則により拒否されました' },
    remedy: {
      en: 'see the findings; each names its remedy',
      ja: '検出事項を参照してください。それぞれに対処方法があります',
    },
  },
  'KNK-SRV-0012': {
    exit: 'badConfiguration',
    http: 500,
    message: { en: 'cannot listen on {address}: {reason}', ja: '{address} で待ち受けできません: {reason}' },
    remedy: {
      en: 'free the address, or give another with --listen',
      ja: 'アドレスを空けるか、--listen で別のアドレスを指定してください',
    },
  },
  'KNK-SRV-0013': {
    exit: 'badConfiguration',
    http: 500,
    message: {
      en: 'the server database {file} has schema version {found}; this program knows up to {known}',
      ja: 'サーバーのデータベース {file} のスキーマ バージョンは {found} ですが、このプログラムが対応するのは {known} までです',
    },
    remedy: {
      en: 'use a Kannuki that is at least as new as the one that wrote the database',
      ja: 'データベースを書き込んだものと同じか、それより新しい Kannuki を使用してください',
    },
  },
  'KNK-SRV-0014': {
    exit: 'failed',
    http: 500,
    message: {
      en: 'the server database {file} cannot be used: {reason}',
      ja: 'サーバーのデータベース {file} を使用できません: {reason}',
    },
    remedy: {
      en: 'check the disk (space, errors, read-only) that holds the file, or restore it from a backup',
      ja: 'ファイルのあるディスク (空き容量、エラー、読み取り専用) を確認するか、バックアップから復元してください',
    },
  },
  'KNK-SRV-0015': {
    exit: 'notFound',
    http: 404,
    message: { en: 'there is no image {image} on this host', ja: 'このホストにイメージ {image} はありません' },
    remedy: {
      en: '`kannuki image list` shows the images; `kannuki image build debian-12` makes one',
      ja: 'イメージは `kannuki image list` で確認でき、`kannuki image build debian-12` で作成できます',
    },
  },
  'KNK-SRV-0016': {
    exit: 'usage',
    http: 400,
    message: { en: 'the VM size {size} is not known', ja: 'VM サイズ {size} は不明です' },
    remedy: { en: '`kannuki support sizes` lists the sizes', ja: 'サイズは `kannuki support sizes` で確認できます' },
  },
  'KNK-SRV-0017': {
    exit: 'unavailable',
    http: 503,
    message: { en: 'no server answers on {path}: {reason}', ja: '{path} でサーバーが応答しません: {reason}' },
    remedy: {
      en: 'start it with `kannuki server start --data DIR`, or name its folder with --data or KANNUKI_DATA',
      ja: '`kannuki server start --data DIR` で起動するか、--data または KANNUKI_DATA でフォルダーを指定してください',
    },
  },
  'KNK-SRV-0018': {
    exit: 'failed',
    http: 500,
    message: {
      en: 'the server failed inside (trace {trace})',
      ja: 'サーバーで内部エラーが発生しました (トレース {trace})',
    },
    remedy: {
      en: "see the server's log for the trace; the answer does not say more on purpose",
      ja: 'サーバーのログでこのトレースを確認してください。応答には意図的に詳細を含めていません',
    },
  },
  'KNK-SRV-0019': {
    exit: 'failed',
    http: 502,
    message: {
      en: 'the server on {path} gave an answer that makes no sense',
      ja: '{path} のサーバーの応答を解釈できません',
    },
    remedy: { en: 'use the same version of kannuki for both', ja: '両方で同じバージョンの kannuki を使用してください' },
  },
  'KNK-SRV-0020': {
    exit: 'usage',
    http: 400,
    message: {
      en: 'the VM {vm} has data disks, please supply --volume-type',
      ja: 'VM {vm} にはデータ ディスクがあります。--volume-type を指定してください',
    },
    remedy: { en: 'add --volume-type DATA', ja: '--volume-type DATA を付けてください' },
  },
  'KNK-SRV-0021': {
    exit: 'badConfiguration',
    http: 500,
    message: {
      en: 'the file {file} of the authority is not usable: {reason}',
      ja: '認証局のファイル {file} を使用できません: {reason}',
    },
    remedy: {
      en: 'restore it from the backup of the data folder; a new authority would shut every joined VM out',
      ja: 'データ フォルダーのバックアップから復元してください。新しい認証局を作ると、参加済みの VM はすべて接続できなくなります',
    },
  },
  'KNK-SRV-0022': {
    exit: 'refused',
    http: 400,
    message: {
      en: 'this version of Kannuki encrypts data volumes only, not {type}',
      ja: 'このバージョンの Kannuki が暗号化できるのはデータ ボリュームのみで、{type} には対応していません',
    },
    remedy: { en: 'use --volume-type DATA', ja: '--volume-type DATA を使用してください' },
  },
  'KNK-SRV-0023': {
    exit: 'refused',
    http: 409,
    message: { en: 'the VM {vm} is {state}', ja: 'VM {vm} は {state} 状態です' },
    remedy: {
      en: '`kannuki vm show` tells its state; try again when it has changed',
      ja: '`kannuki vm show` で状態を確認し、変化してから再試行してください',
    },
  },
  'KNK-SRV-0024': {
    exit: 'usage',
    http: 413,
    message: { en: 'the request is longer than {limit} bytes', ja: '要求が {limit} バイトを超えています' },
    remedy: { en: 'send less', ja: '小さくして送信してください' },
  },
  'KNK-SRV-0025': {
    exit: 'badConfiguration',
    http: 500,
    message: {
      en: 'the configuration of the server is wrong: {reason}',
      ja: 'サーバーの設定に誤りがあります: {reason}',
    },
    remedy: { en: 'correct the file that --config names', ja: '--config で指定したファイルを修正してください' },
  },
  'KNK-SRV-0026': {
    exit: 'usage',
    http: 400,
    message: {
      en: 'the {kind} name "{name}" is not usable: {rule}',
      ja: '{kind} の名前 "{name}" は使用できません: {rule}',
    },
    remedy: { en: 'take another name', ja: '別の名前を指定してください' },
  },
  'KNK-SRV-0027': {
    exit: 'notFound',
    http: 404,
    message: { en: 'there is nothing at {path}', ja: '{path} には何もありません' },
    remedy: { en: 'check the address', ja: 'アドレスを確認してください' },
  },
  'KNK-SRV-0028': {
    exit: 'refused',
    http: 400,
    message: {
      en: '{what} is not in this version of Kannuki',
      ja: '{what} は、このバージョンの Kannuki では利用できません',
    },
    remedy: { en: '{instead}', ja: '代わりに: {instead}' },
  },
  'KNK-SRV-0029': {
    exit: 'failed',
    http: 400,
    message: {
      en: 'the backup cannot be written to {directory}: {reason}',
      ja: 'バックアップを {directory} に書き込めません: {reason}',
    },
    remedy: {
      en: 'name a folder that does not exist, outside of the data folder, on a disk with room; remove what a failed attempt has left',
      ja: 'データ フォルダーの外で、空きのあるディスク上の、存在しないフォルダーを指定してください。失敗した試行が残したものは削除してください',
    },
  },
} as const satisfies Record<string, CatalogueEntry>;
