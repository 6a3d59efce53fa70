import type { CatalogueEntry } from './entry.ts';

/**
 * Errors with the prefix KNK-AZC: what a server that speaks Azure's protocols answered to the command line. `{reason}`
 * holds its own code and message.
 */
export const azureClientErrors = {
  'KNK-AZC-0001': {
    exit: 'notFound',
    http: 404,
    message: { en: 'not found: {what}: {reason}', ja: '{what} は見つかりません: {reason}' },
    remedy: {
      en: 'check the names; what was deleted is shown by the list-deleted commands',
      ja: '名前を確認してください。削除されたものは list-deleted コマンドで確認できます',
    },
  },
  'KNK-AZC-0002': {
    exit: 'notPermitted',
    http: 403,
    message: { en: 'not permitted: {what}: {reason}', ja: '許可されていません: {what}: {reason}' },
    remedy: {
      en: "ask the owner for the permission, or log in as somebody who has it: 'kannuki login'",
      ja: "所有者に権限の付与を依頼するか、権限を持つ ID で 'kannuki login' を実行してください",
    },
  },
  'KNK-AZC-0003': {
    exit: 'tryAgain',
    http: 503,
    message: { en: 'the server cannot do this now: {what}: {reason}', ja: '現在処理できません: {what}: {reason}' },
    remedy: { en: 'wait {seconds} s, then try again', ja: '{seconds} 秒待ってから再試行してください' },
  },
  'KNK-AZC-0004': {
    exit: 'unavailable',
    http: 503,
    message: {
      en: 'the server {server} cannot be reached: {reason}',
      ja: 'サーバー {server} に接続できません: {reason}',
    },
    remedy: {
      en: "check that it runs and that address and CA file are right; 'kannuki login' names another",
      ja: "サーバーの動作、アドレス、CA ファイルを確認してください。別のサーバーは 'kannuki login' で指定します",
    },
  },
  'KNK-AZC-0005': {
    exit: 'usage',
    http: 400,
    message: {
      en: 'the server does not accept this: {what}: {reason}',
      ja: '要求が正しくありません: {what}: {reason}',
    },
    remedy: {
      en: 'correct the command line; nothing was changed',
      ja: 'コマンド ラインを修正してください。何も変更されていません',
    },
  },
  'KNK-AZC-0006': {
    exit: 'refused',
    http: 409,
    message: { en: 'refused: {what}: {reason}', ja: '拒否されました: {what}: {reason}' },
    remedy: {
      en: 'see the reason; a deleted vault or object of that name must be recovered or purged first',
      ja: '理由を確認してください。同じ名前の削除済みのものは、先に復旧または消去する必要があります',
    },
  },
  'KNK-AZC-0007': {
    exit: 'failed',
    http: 502,
    message: { en: 'the server failed: {what}: {reason}', ja: 'サーバーで失敗しました: {what}: {reason}' },
    remedy: {
      en: "see the server's log; whether it was done is not known: look before you try again",
      ja: 'サーバーのログを確認してください。処理されたかどうかは不明なため、再試行の前に状態を確認してください',
    },
  },
  'KNK-AZC-0008': {
    exit: 'notPermitted',
    http: 401,
    message: { en: 'the login of {client} is refused: {reason}', ja: '{client} のログインは拒否されました: {reason}' },
    remedy: {
      en: "check id, secret or certificate, and tenant, then run 'kannuki login' again",
      ja: "ID、シークレットまたは証明書、テナントを確認し、'kannuki login' を再実行してください",
    },
  },
  'KNK-AZC-0009': {
    exit: 'badConfiguration',
    http: 500,
    message: {
      en: 'the login file {file} cannot be used: {reason}',
      ja: 'ログイン ファイル {file} を使用できません: {reason}',
    },
    remedy: {
      en: "'kannuki login' makes a new one, 'kannuki logout' removes it",
      ja: "'kannuki login' で新規作成、'kannuki logout' で削除できます",
    },
  },
  'KNK-AZC-0010': {
    exit: 'notPermitted',
    http: 401,
    message: { en: 'nobody is logged in', ja: 'ログインしていません' },
    remedy: {
      en: "run 'kannuki login --service-principal -u ID --password-file FILE --tenant T'",
      ja: "'kannuki login --service-principal -u ID --password-file FILE --tenant T' を実行してください",
    },
  },
  'KNK-AZC-0011': {
    exit: 'failed',
    http: 500,
    message: { en: 'the file {file} cannot be used: {reason}', ja: 'ファイル {file} を使用できません: {reason}' },
    remedy: { en: 'name another file, or mend this one', ja: '別のファイルを指定するか、修正してください' },
  },
  'KNK-AZC-0012': {
    exit: 'tryAgain',
    http: 504,
    message: { en: '{what} has not ended within {seconds} s', ja: '{what} は {seconds} 秒以内に終わりませんでした' },
    remedy: {
      en: 'it goes on in the server: look at the state of the resource',
      ja: 'サーバーでは処理が続いています。リソースの状態を確認してください',
    },
  },
} as const satisfies Record<string, CatalogueEntry>;
