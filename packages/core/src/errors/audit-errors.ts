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
  'KNK-AUD-0004': {
    exit: 'failed',
    http: 500,
    message: {
      en: 'the audit log {folder} is not as it was written: {why}',
      ja: '監査ログ {folder} は書き込まれたときの状態ではありません: {why}',
    },
    remedy: {
      en: 'keep a copy of the folder as it is, compare it with copies elsewhere ("kannuki audit verify" names the places) and find out who could write to it; the server goes on in a new segment',
      ja: 'フォルダーを現状のまま複製し、別の場所のコピーと比較して ("kannuki audit verify" で箇所が分かります)、書き込めた者を調べてください。サーバーは新しいセグメントで動作を続けます',
    },
  },
} as const satisfies Record<string, CatalogueEntry>;
