import type { CommandEntry } from '../../../program/command.ts';

export const vaultEntries: readonly CommandEntry[] = [
  {
    path: 'keyvault create',
    summary: { en: 'make a key vault', ja: 'キー コンテナーを作成する' },
    load: async () => (await import('./create.ts')).command,
  },
  {
    path: 'keyvault list',
    summary: { en: 'list the key vaults', ja: 'キー コンテナーの一覧' },
    load: async () => (await import('./list.ts')).command,
  },
  {
    path: 'keyvault show',
    summary: { en: 'show a key vault', ja: 'キー コンテナーを表示する' },
    load: async () => (await import('./show.ts')).command,
  },
  {
    path: 'keyvault update',
    summary: { en: 'change a key vault', ja: 'キー コンテナーを変更する' },
    load: async () => (await import('./update.ts')).command,
  },
  {
    path: 'keyvault delete',
    summary: { en: 'delete a key vault; it can be recovered', ja: 'キー コンテナーを削除する (復旧可能)' },
    load: async () => (await import('./delete.ts')).command,
  },
  {
    path: 'keyvault list-deleted',
    summary: { en: 'list the deleted key vaults', ja: '削除されたキー コンテナーの一覧' },
    load: async () => (await import('./list-deleted.ts')).command,
  },
  {
    path: 'keyvault show-deleted',
    summary: { en: 'show a deleted key vault', ja: '削除されたキー コンテナーを表示する' },
    load: async () => (await import('./show-deleted.ts')).command,
  },
  {
    path: 'keyvault recover',
    summary: { en: 'bring a deleted key vault back', ja: '削除されたキー コンテナーを復旧する' },
    load: async () => (await import('./recover.ts')).command,
  },
  {
    path: 'keyvault purge',
    summary: { en: 'destroy a deleted key vault', ja: '削除されたキー コンテナーを完全に消去する' },
    load: async () => (await import('./purge.ts')).command,
  },
  {
    path: 'keyvault set-policy',
    summary: { en: 'say what somebody may do with the data', ja: 'アクセス ポリシーを設定する' },
    load: async () => (await import('./set-policy.ts')).command,
  },
  {
    path: 'keyvault delete-policy',
    summary: { en: 'take the access policy of somebody away', ja: 'アクセス ポリシーを削除する' },
    load: async () => (await import('./delete-policy.ts')).command,
  },
  {
    path: 'keyvault network-rule add',
    summary: { en: 'let an address in', ja: 'ネットワーク規則を追加する' },
    load: async () => (await import('./network-rules.ts')).addCommand,
  },
  {
    path: 'keyvault network-rule remove',
    summary: { en: 'let an address in no more', ja: 'ネットワーク規則を削除する' },
    load: async () => (await import('./network-rules.ts')).removeCommand,
  },
  {
    path: 'keyvault network-rule list',
    summary: { en: 'list the network rules', ja: 'ネットワーク規則の一覧' },
    load: async () => (await import('./network-rules.ts')).listCommand,
  },
];
