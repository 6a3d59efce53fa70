import type { CommandEntry } from '../../../program/command.ts';

const lifecycle = async () => (await import('./lifecycle.ts')).commands;

export const secretEntries: readonly CommandEntry[] = [
  {
    path: 'keyvault secret set',
    summary: { en: 'store a secret', ja: 'シークレットを保存する' },
    load: async () => (await import('./set.ts')).command,
  },
  {
    path: 'keyvault secret show',
    summary: { en: 'print a secret', ja: 'シークレットを表示する' },
    load: async () => (await import('./show.ts')).command,
  },
  {
    path: 'keyvault secret download',
    summary: { en: 'write the value of a secret to a file', ja: 'シークレットの値をファイルに書き出す' },
    load: async () => (await import('./download.ts')).command,
  },
  {
    path: 'keyvault secret set-attributes',
    summary: { en: 'change what is said about a secret', ja: 'シークレットの属性を変更する' },
    load: async () => (await import('./set-attributes.ts')).command,
  },
  {
    path: 'keyvault secret list',
    summary: { en: 'list the secrets of a vault', ja: 'シークレットの一覧' },
    load: async () => (await lifecycle()).list,
  },
  {
    path: 'keyvault secret list-versions',
    summary: { en: 'list the versions of a secret', ja: 'シークレットのバージョンの一覧' },
    load: async () => (await lifecycle()).listVersions,
  },
  {
    path: 'keyvault secret delete',
    summary: { en: 'delete a secret; it can be recovered', ja: 'シークレットを削除する (復旧可能)' },
    load: async () => (await lifecycle()).delete,
  },
  {
    path: 'keyvault secret list-deleted',
    summary: { en: 'list the deleted secrets', ja: '削除されたシークレットの一覧' },
    load: async () => (await lifecycle()).listDeleted,
  },
  {
    path: 'keyvault secret show-deleted',
    summary: { en: 'show a deleted secret', ja: '削除されたシークレットを表示する' },
    load: async () => (await lifecycle()).showDeleted,
  },
  {
    path: 'keyvault secret recover',
    summary: { en: 'bring a deleted secret back', ja: '削除されたシークレットを復旧する' },
    load: async () => (await lifecycle()).recover,
  },
  {
    path: 'keyvault secret purge',
    summary: { en: 'destroy a deleted secret', ja: '削除されたシークレットを完全に消去する' },
    load: async () => (await lifecycle()).purge,
  },
  {
    path: 'keyvault secret backup',
    summary: { en: 'write a secret to a sealed file', ja: 'シークレットをバックアップする' },
    load: async () => (await lifecycle()).backup,
  },
  {
    path: 'keyvault secret restore',
    summary: { en: 'put a backup of a secret back', ja: 'シークレットを復元する' },
    load: async () => (await lifecycle()).restore,
  },
];
