import { text } from '../../program/options.ts';

/** `--vault`: where the keys are; the same words in every command that needs it. */
export const vaultOption = text('URL', {
  en: 'the vault: https://NAME.SUFFIX/ behind the server that this VM has joined, or embedded:///DIR?vault=NAME',
  ja: 'キー コンテナー: この VM が参加したサーバーの https://NAME.SUFFIX/、または embedded:///DIR?vault=NAME',
});
