import { text } from '../../program/options.ts';

/** `--vault`: where the keys are; the same words in every command that needs it. */
export const vaultOption = text('URL', {
  en: 'the vault: https://NAME.SUFFIX/ behind the server that this VM has joined, embedded:///DIR?vault=NAME, or another address of docs/vault-drivers.md',
  ja: 'キー コンテナー: この VM が参加したサーバーの https://NAME.SUFFIX/、embedded:///DIR?vault=NAME、または docs/vault-drivers.md に記載のアドレス',
});
