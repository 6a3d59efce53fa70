import type { CommandEntry } from '../../../program/command.ts';

const lifecycle = async () => (await import('./lifecycle.ts')).commands;

export const keyEntries: readonly CommandEntry[] = [
  {
    path: 'keyvault key create',
    summary: { en: 'make a key', ja: 'キーを作成する' },
    load: async () => (await import('./create.ts')).command,
  },
  {
    path: 'keyvault key import',
    summary: { en: 'bring a private key of your own', ja: '手元の秘密鍵を取り込む' },
    load: async () => (await import('./import.ts')).command,
  },
  {
    path: 'keyvault key list',
    summary: { en: 'list the keys of a vault', ja: 'キー コンテナーのキーの一覧' },
    load: async () => (await lifecycle()).list,
  },
  {
    path: 'keyvault key show',
    summary: { en: 'show a key', ja: 'キーを表示する' },
    load: async () => (await import('./show.ts')).command,
  },
  {
    path: 'keyvault key list-versions',
    summary: { en: 'list the versions of a key', ja: 'キーのバージョンの一覧' },
    load: async () => (await lifecycle()).listVersions,
  },
  {
    path: 'keyvault key rotate',
    summary: { en: 'make a new version of a key', ja: 'キーをローテーションする' },
    load: async () => (await import('./rotate.ts')).command,
  },
  {
    path: 'keyvault key rotation-policy show',
    summary: { en: 'show when a key is rotated', ja: 'ローテーション ポリシーを表示する' },
    load: async () => (await import('./rotation-policy.ts')).showCommand,
  },
  {
    path: 'keyvault key rotation-policy update',
    summary: { en: 'say when a key is rotated', ja: 'ローテーション ポリシーを設定する' },
    load: async () => (await import('./rotation-policy.ts')).updateCommand,
  },
  {
    path: 'keyvault key set-attributes',
    summary: { en: 'change what is said about a key', ja: 'キーの属性を変更する' },
    load: async () => (await import('./set-attributes.ts')).command,
  },
  {
    path: 'keyvault key encrypt',
    summary: { en: 'encrypt a small value with a key', ja: 'キーで短い値を暗号化する' },
    load: async () => (await import('./crypt.ts')).encryptCommand,
  },
  {
    path: 'keyvault key decrypt',
    summary: { en: 'decrypt a small value with a key', ja: 'キーで短い値を復号する' },
    load: async () => (await import('./crypt.ts')).decryptCommand,
  },
  {
    path: 'keyvault key sign',
    summary: { en: 'sign a digest with a key', ja: 'キーでダイジェストに署名する' },
    load: async () => (await import('./crypt.ts')).signCommand,
  },
  {
    path: 'keyvault key verify',
    summary: { en: 'verify a signature with a key', ja: 'キーで署名を検証する' },
    load: async () => (await import('./crypt.ts')).verifyCommand,
  },
  {
    path: 'keyvault key delete',
    summary: { en: 'delete a key; it can be recovered', ja: 'キーを削除する (復旧可能)' },
    load: async () => (await lifecycle()).delete,
  },
  {
    path: 'keyvault key list-deleted',
    summary: { en: 'list the deleted keys', ja: '削除されたキーの一覧' },
    load: async () => (await lifecycle()).listDeleted,
  },
  {
    path: 'keyvault key show-deleted',
    summary: { en: 'show a deleted key', ja: '削除されたキーを表示する' },
    load: async () => (await lifecycle()).showDeleted,
  },
  {
    path: 'keyvault key recover',
    summary: { en: 'bring a deleted key back', ja: '削除されたキーを復旧する' },
    load: async () => (await lifecycle()).recover,
  },
  {
    path: 'keyvault key purge',
    summary: { en: 'destroy a deleted key', ja: '削除されたキーを完全に消去する' },
    load: async () => (await lifecycle()).purge,
  },
  {
    path: 'keyvault key backup',
    summary: { en: 'write a key to a sealed file', ja: 'キーをバックアップする' },
    load: async () => (await lifecycle()).backup,
  },
  {
    path: 'keyvault key restore',
    summary: { en: 'put a backup of a key back', ja: 'キーを復元する' },
    load: async () => (await lifecycle()).restore,
  },
];
