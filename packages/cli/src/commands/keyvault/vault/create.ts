import { KannukiError } from '@kannuki/core';
import { connectAzure } from '../../../azure-client/connect.ts';
import type { AzureConnection } from '../../../azure-client/connection.ts';
import { dataOption } from '../../../azure-client/data-option.ts';
import { groupPath, resourceApiVersion, subscriptionPath, tagsOf, vaultPath } from '../../../azure-client/resources.ts';
import { defineCommand } from '../../../program/command.ts';
import type { CommandContext } from '../../../program/context.ts';
import { choice, flag, list, number, text } from '../../../program/options.ts';
import { putVault } from './put-vault.ts';
import { changeableOptions, changesOf, locationOption } from './vault-options.ts';

/** As az: the maker of a vault may do everything with its data. */
const allPermissions = { keys: ['all'], secrets: ['all'], certificates: ['all'], storage: ['all'] };

export const command = defineCommand({
  description: {
    en: "Makes a key vault: a durable database, sealed under a root key. Whoever is logged in gets an access policy with all permissions, as in az, except with --enable-rbac-authorization or --no-self-perms; the administrator of the server's machine needs none.",
    ja: 'キー コンテナー (ルート キーで封印された永続データベース) を作成します。az と同じく、ログイン中のユーザーにすべての権限を持つアクセス ポリシーが追加されます (--enable-rbac-authorization または --no-self-perms の場合を除く)。サーバーのマシンの管理者には不要です。',
  },
  options: {
    name: text(
      'KV',
      { en: '3 to 24 letters, digits and hyphens', ja: '英数字とハイフン 3 ～ 24 文字' },
      { short: 'n', required: true },
    ),
    resourceGroup: text('RG', { en: 'resource group', ja: 'リソース グループ' }, { short: 'g', required: true }),
    location: locationOption,
    sku: choice(['standard', 'premium'], {
      en: 'default standard; keys in an HSM need premium',
      ja: '既定は standard。HSM のキーには premium が必要',
    }),
    retentionDays: number('7-90', {
      en: 'how long deleted things are kept; default 90',
      ja: '削除されたものの保持日数。既定は 90',
    }),
    ...changeableOptions,
    defaultAction: choice(['Allow', 'Deny'], {
      en: 'for addresses that no network rule names',
      ja: 'ネットワーク規則にないアドレスの扱い',
    }),
    bypass: choice(['AzureServices', 'None'], {
      en: 'who is let through in spite of network rules',
      ja: 'ネットワーク規則の例外',
    }),
    noSelfPerms: flag({ en: 'no access policy for who makes it', ja: '作成者のアクセス ポリシーを追加しない' }),
    tags: list('NAME=VALUE', { en: 'tags', ja: 'タグ' }),
    data: dataOption,
  },
  examples: [
    {
      line: 'kannuki keyvault create -n kv1 -g rg1 --enabled-for-disk-encryption',
      does: { en: 'a vault for disk passphrases', ja: 'ディスクのパスフレーズ用のキー コンテナー' },
    },
  ],
  async run({ options }, context) {
    const { name, resourceGroup: group, sku, retentionDays, tags, noSelfPerms } = options;
    using azure = await connectAzure(options.data, context.environment);
    const location = await locationFor(azure, group, options.location, context);
    await refuseExisting(azure, group, name);
    const { tenantId } = await azure.subscription();
    const rbac = options.enableRbacAuthorization === true;
    const own = azure.objectId === null || rbac || noSelfPerms ? [] : [azure.objectId];
    const body = {
      location,
      ...(tags.length === 0 ? {} : { tags: tagsOf(tags) }),
      properties: {
        tenantId,
        sku: { family: 'A', name: sku ?? 'standard' },
        accessPolicies: own.map((objectId) => ({ tenantId, objectId, permissions: allPermissions })),
        enableSoftDelete: true,
        softDeleteRetentionInDays: retentionDays ?? 90,
        ...changesOf(options, { networkAcls: { bypass: 'AzureServices', defaultAction: 'Allow' } }),
      },
    };
    return { data: await putVault(azure, { group, name }, body, context) };
  },
});

/** As az: PUT would change a vault that is there, and who says "create" does not mean that. */
async function refuseExisting(azure: AzureConnection, group: string, name: string): Promise<void> {
  const what = `key vault ${name}`;
  const path = await vaultPath(azure, group, name);
  const { status } = await azure.call({ plane: 'management', method: 'GET', path, what, expected: [404] });
  if (status !== 404) {
    throw new KannukiError('KNK-AZC-0006', { details: { what, reason: 'VaultAlreadyExists: it exists already' } });
  }
}

/** The one region of a server, as `vm create` takes it too. */
async function serverLocation(azure: AzureConnection): Promise<unknown> {
  const path = `${await subscriptionPath(azure)}/locations`;
  const [first] = await azure.list({ plane: 'management', path, apiVersion: '2022-12-01', what: 'locations' });
  return first?.name;
}

/**
 * The vault's region: as said, else that of its group. On the server's own machine a group that is missing is made, as
 * `vm create` does it there; over the network it is the server's ResourceGroupNotFound, as in Azure.
 */
async function locationFor(
  azure: AzureConnection,
  group: string,
  wanted: string | undefined,
  context: CommandContext,
): Promise<unknown> {
  const local = azure.kind === 'socket';
  if (wanted !== undefined && !local) return wanted;
  const path = await groupPath(azure, group);
  const apiVersion = resourceApiVersion;
  const what = `resource group ${group}`;
  const expected = local ? [404] : [];
  const found = await azure.call({ plane: 'management', method: 'GET', path, apiVersion, what, expected });
  if (found.status !== 404) return wanted ?? found.data.location;
  const body = { location: wanted ?? (await serverLocation(azure)) };
  const made = await azure.call({ plane: 'management', method: 'PUT', path, apiVersion, body, what });
  context.say({
    en: `There was no resource group ${group}: it was made in ${String(made.data.location)}.`,
    ja: `リソース グループ ${group} がなかったため、${String(made.data.location)} に作成しました。`,
  });
  return made.data.location;
}
