import type { CatalogueEntry } from './entry.ts';

/** Resources: what the management plane (Azure Resource Manager's protocol) refuses. */
export const resourcesErrors = {
  'KNK-ARM-0001': {
    exit: 'notFound',
    http: 404,
    message: {
      en: 'the resource group {group} could not be found',
      ja: 'リソース グループ {group} が見つかりません',
    },
    remedy: { en: 'make it with `kannuki group create`', ja: '`kannuki group create` で作成してください' },
  },
  'KNK-ARM-0002': {
    exit: 'notFound',
    http: 404,
    message: { en: 'the resource {resource} was not found', ja: 'リソース {resource} が見つかりません' },
    remedy: { en: 'check its name and its resource group', ja: '名前とリソース グループを確認してください' },
  },
  'KNK-ARM-0003': {
    exit: 'refused',
    http: 409,
    message: {
      en: 'the vault name {vault} is already in use; names of vaults are unique in the whole server',
      ja: 'キー コンテナー名 {vault} は既に使用されています。名前はサーバー全体で一意です',
    },
    remedy: { en: 'take another name', ja: '別の名前を使用してください' },
  },
  'KNK-ARM-0004': {
    exit: 'refused',
    http: 409,
    message: {
      en: 'a vault named {vault} exists in deleted state',
      ja: '{vault} という名前の削除済みキー コンテナーが存在します',
    },
    remedy: {
      en: 'recover it (PUT with createMode "recover", `kannuki keyvault recover`), purge it, or take another name',
      ja: '復旧する (createMode "recover" の PUT、`kannuki keyvault recover`)、消去する、または別の名前を使用してください',
    },
  },
  'KNK-ARM-0005': {
    exit: 'usage',
    http: 400,
    message: {
      en: 'the vault name {vault} is not valid: it takes 3 to 24 letters, digits and single hyphens, a letter first and no hyphen last',
      ja: 'キー コンテナー名 {vault} が正しくありません。英数字と連続しないハイフン 3 ～ 24 文字で、先頭は英字、末尾はハイフン以外です',
    },
    remedy: { en: 'take another name', ja: '別の名前を使用してください' },
  },
  'KNK-ARM-0006': {
    exit: 'notPermitted',
    http: 403,
    message: {
      en: "the client '{principal}' does not have authorization to perform action '{action}' over scope '{scope}'",
      ja: "クライアント '{principal}' には、スコープ '{scope}' でアクション '{action}' を実行する権限がありません",
    },
    remedy: {
      en: 'ask an owner of that scope for a role that permits it; a new assignment works at once',
      ja: 'そのスコープの所有者に、許可するロールの割り当てを依頼してください。割り当ては直ちに有効になります',
    },
  },
  'KNK-ARM-0007': {
    exit: 'notPermitted',
    http: 401,
    message: {
      en: 'the access token is missing or not valid for this service',
      ja: 'アクセス トークンがないか、このサービスには無効です',
    },
    remedy: {
      en: 'get a token for the resource that the WWW-Authenticate header and `admin.json` name',
      ja: 'WWW-Authenticate ヘッダーと `admin.json` が示すリソースのトークンを取得してください',
    },
  },
  'KNK-ARM-0008': {
    exit: 'usage',
    http: 400,
    message: {
      en: 'the api-version query parameter is missing or has no sane shape',
      ja: 'クエリ パラメーター api-version がないか、形式が正しくありません',
    },
    remedy: {
      en: 'add ?api-version=2026-02-01, or the version that your client was made for',
      ja: '?api-version=2026-02-01、またはクライアントの対応バージョンを付けてください',
    },
  },
  'KNK-ARM-0009': {
    exit: 'usage',
    http: 400,
    message: { en: '{what} is not valid: {reason}', ja: '{what} が正しくありません: {reason}' },
    remedy: {
      en: 'correct the request and send it again; nothing was changed',
      ja: '要求を修正して再送信してください。何も変更されていません',
    },
  },
  'KNK-ARM-0010': {
    exit: 'notFound',
    http: 404,
    message: {
      en: 'the subscription {subscription} could not be found',
      ja: 'サブスクリプション {subscription} が見つかりません',
    },
    remedy: { en: 'use the one in `admin.json`', ja: '`admin.json` のものを使用してください' },
  },
  'KNK-ARM-0011': {
    exit: 'notFound',
    http: 404,
    message: {
      en: 'there is no deleted vault {vault} in {location}',
      ja: '{location} に削除済みキー コンテナー {vault} はありません',
    },
    remedy: { en: 'list the deleted vaults', ja: '削除済みキー コンテナーの一覧を確認してください' },
  },
  'KNK-ARM-0012': {
    exit: 'refused',
    http: 409,
    message: {
      en: 'the resource group {group} cannot be deleted: it holds the VMs {vms}',
      ja: 'リソース グループ {group} は削除できません。VM {vms} が含まれています',
    },
    remedy: { en: 'delete them first: `kannuki vm delete`', ja: '先に `kannuki vm delete` で削除してください' },
  },
  'KNK-ARM-0013': {
    exit: 'tryAgain',
    http: 409,
    message: {
      en: 'the resource group {group} is being deleted',
      ja: 'リソース グループ {group} は削除中です',
    },
    remedy: { en: 'wait until it is gone', ja: '削除が終わるまで待ってください' },
  },
  'KNK-ARM-0014': {
    exit: 'refused',
    http: 409,
    message: {
      en: 'the resource {resource} already exists in {location}, which cannot be changed',
      ja: 'リソース {resource} は既に {location} に存在し、場所は変更できません',
    },
    remedy: { en: 'leave the location as it is', ja: '場所を変更しないでください' },
  },
  'KNK-ARM-0015': {
    exit: 'refused',
    http: 409,
    message: {
      en: 'the role assignment {assignment} exists already: {reason}',
      ja: 'ロールの割り当て {assignment} は既に存在します: {reason}',
    },
    remedy: {
      en: 'nothing needs to be done, or take another GUID',
      ja: '何もする必要がないか、別の GUID を使用してください',
    },
  },
  'KNK-ARM-0016': {
    exit: 'usage',
    http: 400,
    message: { en: 'there is no role definition {role}', ja: 'ロール定義 {role} は存在しません' },
    remedy: {
      en: 'use the id of a built-in role; list them with roleDefinitions',
      ja: '組み込みロールの ID を使用してください。roleDefinitions で一覧できます',
    },
  },
  'KNK-ARM-0017': {
    exit: 'failed',
    http: 421,
    message: { en: 'this server does not answer for the host {host}', ja: 'このサーバーはホスト {host} を扱いません' },
    remedy: {
      en: 'use a name of the server, or add it to "names" in [server]; the names of Azure need "proxyListen"',
      ja: 'サーバーの名前を使用するか、[server] の "names" に追加してください。Azure の名前には "proxyListen" が必要です',
    },
  },
  'KNK-ARM-0018': {
    exit: 'refused',
    http: 409,
    message: { en: '{resource} cannot be changed now: {reason}', ja: '{resource} は現在変更できません: {reason}' },
    remedy: {
      en: 'wait for what is under way, then try again',
      ja: '進行中の処理の終了を待ってから再試行してください',
    },
  },
  'KNK-ARM-0019': {
    exit: 'failed',
    http: 500,
    message: {
      en: 'the operation was interrupted and could not be finished after the server started again',
      ja: '操作が中断され、サーバーの再起動後も完了できませんでした',
    },
    remedy: { en: 'start it again', ja: 'もう一度実行してください' },
  },
  'KNK-ARM-0020': {
    exit: 'refused',
    http: 400,
    message: {
      en: 'a premium vault cannot be made here: the configuration names no PKCS #11 token for keys in hardware',
      ja: 'ここでは premium のキー コンテナーを作成できません。構成にハードウェア キー用の PKCS #11 トークンがありません',
    },
    remedy: {
      en: 'add [pkcs11] to the configuration of the server, or make a standard vault (--sku standard)',
      ja: 'サーバーの構成に [pkcs11] を追加するか、standard のキー コンテナーを作成してください (--sku standard)',
    },
  },
} as const satisfies Record<string, CatalogueEntry>;
