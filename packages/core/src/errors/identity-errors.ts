import type { CatalogueEntry } from './entry.ts';

/** Errors with the prefix KNK-IDT: service principals, tokens and what signs them. */
export const identityErrors = {
  'KNK-IDT-0001': {
    exit: 'notFound',
    http: 404,
    message: {
      en: 'there is no service principal {principal}',
      ja: 'サービス プリンシパル {principal} はありません',
    },
    remedy: {
      en: '`kannuki ad sp list` names them; give the application id or the object id',
      ja: '`kannuki ad sp list` で確認し、アプリケーション ID またはオブジェクト ID を指定してください',
    },
  },
  'KNK-IDT-0002': {
    exit: 'refused',
    http: 409,
    message: {
      en: 'the service principal {principal} cannot be changed so: {reason}',
      ja: 'サービス プリンシパル {principal} に対するこの変更はできません: {reason}',
    },
    remedy: {
      en: 'take a service principal that was made with `kannuki ad sp create`; nothing was changed',
      ja: '`kannuki ad sp create` で作成したサービス プリンシパルを指定してください。何も変更されていません',
    },
  },
  'KNK-IDT-0003': {
    exit: 'usage',
    http: 400,
    message: { en: 'the certificate cannot be used: {reason}', ja: '証明書を使用できません: {reason}' },
    remedy: {
      en: 'give one X.509 certificate in PEM, RSA of 2048 to 8192 bits or EC P-256, that is not over',
      ja: '有効期限内の X.509 証明書 (PEM、RSA 2048 ～ 8192 ビットまたは EC P-256) を 1 つ指定してください',
    },
  },
  'KNK-IDT-0004': {
    exit: 'badConfiguration',
    http: 500,
    message: {
      en: 'the keys that sign tokens in {file} cannot be used: {reason}',
      ja: 'トークンに署名するキーのファイル {file} を使用できません: {reason}',
    },
    remedy: {
      en: 'restore the file from the backup of the data folder, or remove it: new keys are made, and clients have to ask for new tokens',
      ja: 'データ フォルダーのバックアップから復元するか、ファイルを削除してください。削除すると新しいキーが作成され、クライアントはトークンを再取得する必要があります',
    },
  },
} as const satisfies Record<string, CatalogueEntry>;
