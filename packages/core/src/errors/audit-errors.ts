import type { CatalogueEntry } from './entry.ts';

/** Errors with the prefix KNK-AUD: what the audit log can answer. */
export const auditErrors = {
  'KNK-AUD-0001': {
    exit: 'unavailable',
    http: 503,
    message: {
      en: 'the audit log {file} cannot be written: {reason}',
      ja: '監査ログ {file} に書き込めません: {reason}',
    },
    remedy: {
      en: 'check the disk (space, errors, read-only) that holds it; vault calls are refused until their record can be written, and this one gave nothing away',
      ja: 'ファイルのあるディスク (空き容量、エラー、読み取り専用) を確認してください。記録を書き込めるまでキー コンテナーの呼び出しは拒否され、この呼び出しでは何も渡していません',
    },
  },
  'KNK-AUD-0002': {
    exit: 'tryAgain',
    http: 503,
    message: {
      en: '{count} audit records wait to be written, and no more are taken',
      ja: '書き込み待ちの監査記録が {count} 件あり、これ以上は受け付けられません',
    },
    remedy: {
      en: 'try again with growing pauses; where it stays so, the disk of the audit log is too slow',
      ja: '間隔を延ばしながら再試行してください。続く場合は、監査ログのディスクが遅すぎます',
    },
  },
  'KNK-AUD-0003': {
    exit: 'unavailable',
    http: 503,
    message: {
      en: 'the audit log {file} cannot be read: {reason}',
      ja: '監査ログ {file} を読み取れません: {reason}',
    },
    remedy: {
      en: 'check that the folder is the one of an audit log and that this user may read it',
      ja: 'フォルダーが監査ログのものであることと、このユーザーに読み取り権限があることを確認してください',
    },
  },
} as const satisfies Record<string, CatalogueEntry>;
