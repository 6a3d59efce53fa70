import type { CatalogueEntry } from './entry.ts';

/** Errors with the prefix KNK-KVT: what a vault, its escrow, or the embedded vault can answer. */
export const keyvaultErrors = {
  'KNK-KVT-0001': {
    exit: 'unavailable',
    http: 503,
    message: {
      en: 'the vault {vault} cannot be reached: {reason}',
      ja: 'キー コンテナー {vault} に接続できません: {reason}',
    },
    remedy: {
      en: 'check the address, the network and that the vault runs, then try again; no disk was changed by this call',
      ja: 'アドレス、ネットワーク、キー コンテナーが動作していることを確認し、再実行してください。この呼び出しでディスクは変更されていません',
    },
  },
  'KNK-KVT-0002': {
    exit: 'notPermitted',
    http: 403,
    message: {
      en: 'the vault {vault} does not permit {call} on {object}',
      ja: 'キー コンテナー {vault} では、{object} に対する {call} が許可されていません',
    },
    remedy: {
      en: "ask the vault's owner for the permission",
      ja: 'キー コンテナーの所有者に権限の付与を依頼してください',
    },
  },
  'KNK-KVT-0003': {
    exit: 'notFound',
    http: 404,
    message: { en: '{object} is not in the vault', ja: '{object} はキー コンテナーにありません' },
    remedy: {
      en: 'check the name and the version; a deleted object may still be recoverable by the owner of the vault',
      ja: '名前とバージョンを確認してください。削除されたオブジェクトは、キー コンテナーの所有者が復旧できる場合があります',
    },
  },
  'KNK-KVT-0004': {
    exit: 'notPermitted',
    http: 403,
    message: { en: '{object} is disabled', ja: '{object} は無効化されています' },
    remedy: {
      en: "ask the vault's owner to enable it, or use another version",
      ja: 'キー コンテナーの所有者に有効化を依頼するか、別のバージョンを使用してください',
    },
  },
  'KNK-KVT-0005': {
    exit: 'refused',
    http: 400,
    message: {
      en: 'the key {key} cannot be the key encryption key',
      ja: 'キー {key} はキー暗号化キー (KEK) として使用できません',
    },
    remedy: {
      en: 'use an enabled RSA key of 2048, 3072 or 4096 bits that may wrap and unwrap',
      ja: '有効で、ラップとラップ解除が許可された 2048、3072 または 4096 ビットの RSA キーを使用してください',
    },
  },
  'KNK-KVT-0006': {
    exit: 'failed',
    http: 502,
    message: {
      en: 'what the vault {vault} gave back differs from what was stored: {difference}',
      ja: 'キー コンテナー {vault} から読み戻した内容が、保存した内容と異なります: {difference}',
    },
    remedy: {
      en: 'the escrow does not count and no disk was changed; find out who else writes to {object}, then try again',
      ja: 'エスクローは成立しておらず、ディスクは変更されていません。{object} に書き込んでいる他者の有無を調べてから再実行してください',
    },
  },
  'KNK-KVT-0007': {
    exit: 'usage',
    http: 400,
    message: {
      en: 'the value for {object} cannot be stored: {reason}',
      ja: '{object} の値を保存できません: {reason}',
    },
    remedy: {
      en: 'a secret holds 1 to 25600 bytes of UTF-8 and at most 15 tags',
      ja: 'シークレットに保存できるのは、1 ～ 25600 バイトの UTF-8 と最大 15 個のタグです',
    },
  },
  'KNK-KVT-0008': {
    exit: 'usage',
    http: 400,
    message: {
      en: '{what} is not usable: {reason}',
      ja: '{what} は使用できません: {reason}',
    },
    remedy: {
      en: 'correct the name, id, key size or algorithm and try again',
      ja: '名前、ID、キー サイズ、またはアルゴリズムを修正して再実行してください',
    },
  },
  'KNK-KVT-0009': {
    exit: 'tryAgain',
    http: 503,
    message: {
      en: 'the vault database {file} is in use by another process',
      ja: 'キー コンテナーのデータベース {file} は他のプロセスが使用中です',
    },
    remedy: {
      en: 'stop the other process (`fuser {file}` names it) or go through its server',
      ja: '他のプロセス (`fuser {file}` で確認できます) を停止するか、そのサーバーを経由してください',
    },
  },
  'KNK-KVT-0010': {
    exit: 'failed',
    http: 500,
    message: {
      en: 'the stored form of {object} is damaged or was tampered with',
      ja: '{object} の保存データが破損しているか、改ざんされています',
    },
    remedy: {
      en: 'do not write to this vault; restore the database from a backup and find out who could write to its files',
      ja: 'このキー コンテナーには書き込まず、バックアップからデータベースを復元し、ファイルに書き込めた者を調べてください',
    },
  },
  'KNK-KVT-0011': {
    exit: 'badConfiguration',
    http: 500,
    message: {
      en: 'the root key file {file} is refused: {reason}',
      ja: 'ルート キー ファイル {file} は使用できません: {reason}',
    },
    remedy: {
      en: 'the file must be an unchanged root key file, regular, mode 0600, owned by the user that runs the vault; restore it from its backup where it is damaged',
      ja: 'ファイルは変更されていないルート キーの通常ファイルで、モードは 0600、所有者はキー コンテナーを実行するユーザーである必要があります。破損している場合はバックアップから復元してください',
    },
  },
  'KNK-KVT-0012': {
    exit: 'badConfiguration',
    http: 500,
    message: {
      en: 'the root key {rootKey} does not open the vault database {file}, which was made under {expected}',
      ja: 'ルート キー {rootKey} では、{expected} で作成されたデータベース {file} を開けません',
    },
    remedy: {
      en: 'put the root key file that belongs to this database back in its place',
      ja: 'このデータベースに対応するルート キー ファイルを元の場所に戻してください',
    },
  },
  'KNK-KVT-0013': {
    exit: 'badConfiguration',
    http: 500,
    message: {
      en: '{file} is missing: {reason}',
      ja: '{file} がありません: {reason}',
    },
    remedy: {
      en: 'restore it from its backup; a new one is made only where neither database nor root key exists',
      ja: 'バックアップから復元してください。新規作成は、データベースとルート キーの両方が存在しない場合に限られます',
    },
  },
  'KNK-KVT-0014': {
    exit: 'failed',
    http: 502,
    message: {
      en: 'the vault {vault} gave an answer that makes no sense: {reason}',
      ja: 'キー コンテナー {vault} の応答を解釈できません: {reason}',
    },
    remedy: {
      en: 'check that the address is that of a Kannuki server of the same version, or of the kind of vault that it names',
      ja: 'アドレスが同じバージョンの Kannuki サーバー、またはアドレスの示す種類のキー コンテナーのものであることを確認してください',
    },
  },
  'KNK-KVT-0015': {
    exit: 'usage',
    http: 400,
    message: {
      en: 'the vault address {url} is not usable: {reason}',
      ja: 'キー コンテナーのアドレス {url} は使用できません: {reason}',
    },
    remedy: {
      en: 'give https://VAULT/, embedded:///DIRECTORY?vault=NAME, or an address of docs/vault-drivers.md',
      ja: 'https://VAULT/、embedded:///DIRECTORY?vault=NAME、または docs/vault-drivers.md に記載の形式で指定してください',
    },
  },
  'KNK-KVT-0016': {
    exit: 'refused',
    http: 400,
    message: {
      en: 'the vault in {directory} lies on a disk of this machine',
      ja: '{directory} のキー コンテナーは、このマシン自身のディスク上にあります',
    },
    remedy: {
      en: 'keep the vault on another machine: a key beside its lock protects nothing',
      ja: 'キー コンテナーは別のマシンに置いてください。鍵を錠前のそばに置いては保護になりません',
    },
  },
  'KNK-KVT-0017': {
    exit: 'badConfiguration',
    http: 500,
    message: {
      en: 'the vault database {file} has schema version {found}; this program knows up to {known}',
      ja: 'データベース {file} のスキーマ バージョンは {found} ですが、このプログラムが対応するのは {known} までです',
    },
    remedy: {
      en: 'use a Kannuki that is at least as new as the one that wrote the database',
      ja: 'データベースを書き込んだものと同じか、それより新しい Kannuki を使用してください',
    },
  },
  'KNK-KVT-0018': {
    exit: 'failed',
    http: 400,
    message: {
      en: 'the key {key} cannot {call} this value with {algorithm}',
      ja: 'キー {key} は、{algorithm} でこの値を {call} できません',
    },
    remedy: {
      en: 'use the version of the key that wrapped the value and the same algorithm; RSA-OAEP takes at most the key size less 42 bytes, RSA-OAEP-256 less 66',
      ja: '値をラップしたバージョンのキーと同じアルゴリズムを使用してください。RSA-OAEP ではキー長から 42 バイト、RSA-OAEP-256 では 66 バイトを引いた長さまでの値を扱えます',
    },
  },
  'KNK-KVT-0019': {
    exit: 'failed',
    http: 500,
    message: {
      en: 'the vault {vault} failed inside while it did {call}',
      ja: 'キー コンテナー {vault} の {call} の処理中に内部エラーが発生しました',
    },
    remedy: {
      en: "see the log of the vault's server; the answer does not say more on purpose",
      ja: 'サーバーのログを確認してください。応答には意図的に詳細を含めていません',
    },
  },
  'KNK-KVT-0020': {
    exit: 'unavailable',
    http: 503,
    message: {
      en: 'the vault file {file} cannot be used: {reason}',
      ja: 'キー コンテナーのファイル {file} を使用できません: {reason}',
    },
    remedy: {
      en: 'check the disk (space, errors, read-only) that holds the file; nothing was acknowledged by this call',
      ja: 'ファイルのあるディスク (空き容量、エラー、読み取り専用) を確認してください。この呼び出しでは何も確定していません',
    },
  },
  'KNK-KVT-0021': {
    exit: 'refused',
    http: 409,
    message: { en: '{object} cannot be made: {reason}', ja: '{object} を作成できません: {reason}' },
    remedy: {
      en: 'recover or purge the deleted object of that name, or take another name',
      ja: '同じ名前の削除済みオブジェクトを復旧または消去するか、別の名前を使用してください',
    },
  },
  'KNK-KVT-0022': {
    exit: 'usage',
    http: 400,
    message: { en: '{what} is not valid: {reason}', ja: '{what} が正しくありません: {reason}' },
    remedy: {
      en: 'correct the request and send it again; nothing was changed',
      ja: '要求を修正して再送信してください。何も変更されていません',
    },
  },
  'KNK-KVT-0023': {
    exit: 'notPermitted',
    http: 403,
    message: {
      en: 'the key {object} does not permit the operation {operation}',
      ja: 'キー {object} では操作 {operation} が許可されていません',
    },
    remedy: {
      en: 'use a key whose key_ops hold the operation, or update the key',
      ja: 'key_ops にその操作を含むキーを使用するか、キーを更新してください',
    },
  },
  'KNK-KVT-0024': {
    exit: 'notPermitted',
    http: 403,
    message: { en: '{object} cannot be used now: {reason}', ja: '{object} は現在使用できません: {reason}' },
    remedy: {
      en: 'use a version that is valid now, or change its nbf and exp',
      ja: '現在有効なバージョンを使用するか、nbf と exp を変更してください',
    },
  },
  'KNK-KVT-0025': {
    exit: 'notPermitted',
    http: 403,
    message: {
      en: '{object} may not be purged before {date}: {reason}',
      ja: '{object} は {date} より前に消去できません: {reason}',
    },
    remedy: { en: 'wait for that day, or recover the object', ja: 'その日まで待つか、オブジェクトを復旧してください' },
  },
  'KNK-KVT-0026': {
    exit: 'refused',
    http: 400,
    message: { en: '{what} is not possible here: {reason}', ja: '{what} はここでは使用できません: {reason}' },
    remedy: {
      en: 'use a premium vault with an HSM that can do it, or another algorithm or kind of key',
      ja: '対応する HSM を備えた premium キー コンテナー、または別のアルゴリズムやキーの種類を使用してください',
    },
  },
  'KNK-KVT-0027': {
    exit: 'tryAgain',
    http: 503,
    message: { en: 'the key vaults of this server are sealed', ja: 'このサーバーのキー コンテナーは封印されています' },
    remedy: {
      en: 'ask the operator to run "kannuki server unseal"',
      ja: '管理者に "kannuki server unseal" の実行を依頼してください',
    },
  },
  'KNK-KVT-0028': {
    exit: 'tryAgain',
    http: 429,
    message: { en: 'too many calls to the vault {vault}', ja: 'キー コンテナー {vault} への呼び出しが多すぎます' },
    remedy: {
      en: 'wait {seconds} s, then try again with growing pauses',
      ja: '{seconds} 秒待ってから、間隔を延ばしながら再試行してください',
    },
  },
  'KNK-KVT-0029': {
    exit: 'refused',
    http: 400,
    message: { en: 'the backup cannot be restored: {reason}', ja: 'バックアップを復元できません: {reason}' },
    remedy: {
      en: 'restore it into the installation and subscription that made it',
      ja: '作成元のインストールおよびサブスクリプションに復元してください',
    },
  },
  'KNK-KVT-0041': {
    exit: 'notPermitted',
    http: 403,
    message: {
      en: 'the root key {file} does not open with this passphrase',
      ja: 'ルート キー {file} は、このパスフレーズでは開けません',
    },
    remedy: {
      en: 'give the passphrase that belongs to the file, or restore the file from its backup',
      ja: 'ファイルに対応するパスフレーズを指定するか、バックアップからファイルを復元してください',
    },
  },
  'KNK-KVT-0042': {
    exit: 'unavailable',
    http: 503,
    message: {
      en: 'the PKCS #11 token {token} cannot be used: {reason}',
      ja: 'PKCS #11 トークン {token} を使用できません: {reason}',
    },
    remedy: {
      en: 'check module, token label and PIN in [pkcs11] of the configuration, and that the token is plugged in and not locked',
      ja: '設定の [pkcs11] のモジュール、トークン ラベル、PIN と、トークンが接続されロックされていないことを確認してください',
    },
  },
  'KNK-KVT-0043': {
    exit: 'badConfiguration',
    http: 500,
    message: {
      en: 'PKCS #11 tokens cannot be used here: the npm package pkcs11js is missing ({reason})',
      ja: 'PKCS #11 トークンは使用できません: npm パッケージ pkcs11js がありません ({reason})',
    },
    remedy: {
      en: 'install a C++ compiler and run `npm ci` again, or use another source of the root key',
      ja: 'C++ コンパイラーをインストールして `npm ci` を再実行するか、別のルート キーの取得元を使用してください',
    },
  },
  'KNK-KVT-0044': {
    exit: 'badConfiguration',
    http: 500,
    message: {
      en: 'the file {file} with {what} is refused: {reason}',
      ja: '{what} のファイル {file} は使用できません: {reason}',
    },
    remedy: {
      en: 'the file must be a regular file, mode 0600, owned by the user that runs the program',
      ja: 'ファイルは通常ファイルで、モードは 0600、所有者はプログラムを実行するユーザーである必要があります',
    },
  },
  'KNK-KVT-0051': {
    exit: 'badConfiguration',
    http: 500,
    message: {
      en: 'the file {file} for the vault is refused: {reason}',
      ja: 'キー コンテナー用のファイル {file} は使用できません: {reason}',
    },
    remedy: {
      en: 'name a regular file of at most 64 KiB that its group cannot write and others cannot read (mode 0600 or 0640)',
      ja: '64 KiB 以下の通常ファイルで、グループが書き込めず、他のユーザーが読み取れないもの (モード 0600 または 0640) を指定してください',
    },
  },
  'KNK-KVT-0052': {
    exit: 'badConfiguration',
    http: 500,
    message: {
      en: 'the driver for {vault} needs {packages}, which this installation does not have',
      ja: '{vault} のドライバーに必要な {packages} がインストールされていません',
    },
    remedy: {
      en: 'install it beside Kannuki with "npm install {packages}", or use another kind of vault',
      ja: '"npm install {packages}" で Kannuki と同じ場所にインストールするか、別の種類のキー コンテナーを使用してください',
    },
  },
} as const satisfies Record<string, CatalogueEntry>;
