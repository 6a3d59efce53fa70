import type { CatalogueEntry } from './entry.ts';

/** Errors with the prefix KNK-SUP. */
export const supportErrors = {
  'KNK-SUP-0001': {
    exit: 'badConfiguration',
    http: 500,
    message: { en: 'wrong configuration, {where}: {problem}', ja: '設定の {where} が正しくありません: {problem}' },
    remedy: { en: 'correct {where}, then run the command again', ja: '{where} を修正し、再実行してください' },
  },
} as const satisfies Record<string, CatalogueEntry>;
