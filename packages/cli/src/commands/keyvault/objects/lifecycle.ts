import { encodeBase64Url } from '../../../azure-client/base64url.ts';
import { connectAzure } from '../../../azure-client/connect.ts';
import type { AzureConnection } from '../../../azure-client/connection.ts';
import { pathOf } from '../../../azure-client/connection.ts';
import { readBytes, writePrivate } from '../../../azure-client/private-files.ts';
import { type AnyCommand, defineCommand } from '../../../program/command.ts';
import { flag, text } from '../../../program/options.ts';
import { type Collection, inVaultOptions, objectName, objectOptions } from './object-options.ts';
import { objectTable } from './object-table.ts';
import { keyItemShape, keyShape, secretItemShape, secretShape, type Wire } from './shapes.ts';

/** What is the same for keys and secrets: lists, and the ways to delete and to bring back. */
export interface LifecycleCommands {
  readonly list: AnyCommand;
  readonly listVersions: AnyCommand;
  readonly listDeleted: AnyCommand;
  readonly showDeleted: AnyCommand;
  readonly delete: AnyCommand;
  readonly recover: AnyCommand;
  readonly purge: AnyCommand;
  readonly backup: AnyCommand;
  readonly restore: AnyCommand;
}

/** A backup holds every version of an object: up to 500. */
const backupLimitBytes = 32 * 1024 * 1024;

export function lifecycleCommands(collection: Collection): LifecycleCommands {
  const word = collection === 'keys' ? 'key' : 'secret';
  const thing = collection === 'keys' ? { en: 'key', ja: 'キー' } : { en: 'secret', ja: 'シークレット' };
  const object = collection === 'keys' ? 'kek1' : 's1';
  const shapeOf = collection === 'keys' ? keyShape : secretShape;
  const itemShapeOf = collection === 'keys' ? keyItemShape : secretItemShape;
  const line = (verb: string, rest = `--vault-name kv1 -n ${object}`): string =>
    `kannuki keyvault ${word} ${verb} ${rest}`;

  const listed = async (azure: AzureConnection, vault: string, path: string, what: string) => {
    const items = await azure.list({ plane: { vault }, path, what });
    return { data: items.map(itemShapeOf), table: () => objectTable(items) };
  };

  const shown = (bundle: Wire) => ({ data: shapeOf(bundle), table: () => objectTable([bundle]) });

  return {
    list: defineCommand({
      options: {
        ...inVaultOptions,
        includeManaged: flag({ en: 'as in az; there are none here', ja: 'az 互換。ここには該当するものはない' }),
      },
      examples: [
        {
          line: line('list', '--vault-name kv1'),
          does: { en: `the ${thing.en}s of kv1`, ja: `kv1 の${thing.ja}の一覧` },
        },
      ],
      async run({ options: { vaultName, data } }, context) {
        using azure = await connectAzure(data, context.environment);
        return await listed(azure, vaultName, pathOf(collection), `${word}s of ${vaultName}`);
      },
    }),

    listVersions: defineCommand({
      options: objectOptions,
      examples: [{ line: line('list-versions'), does: { en: 'all its versions', ja: 'すべてのバージョン' } }],
      async run({ options }, context) {
        const { vault, name } = objectName(options, collection);
        using azure = await connectAzure(options.data, context.environment);
        return await listed(azure, vault, pathOf(collection, name, 'versions'), `${word} ${name} of ${vault}`);
      },
    }),

    listDeleted: defineCommand({
      options: inVaultOptions,
      examples: [
        {
          line: line('list-deleted', '--vault-name kv1'),
          does: { en: 'what can be recovered', ja: '復旧できるものの一覧' },
        },
      ],
      async run({ options: { vaultName, data } }, context) {
        using azure = await connectAzure(data, context.environment);
        return await listed(azure, vaultName, pathOf(`deleted${collection}`), `deleted ${word}s of ${vaultName}`);
      },
    }),

    showDeleted: defineCommand({
      options: objectOptions,
      examples: [{ line: line('show-deleted'), does: { en: 'when it will be purged', ja: '消去される日を調べる' } }],
      async run({ options }, context) {
        const { vault, name } = objectName(options, collection);
        using azure = await connectAzure(options.data, context.environment);
        const path = pathOf(`deleted${collection}`, name);
        const what = `deleted ${word} ${name} of ${vault}`;
        return shown((await azure.call({ plane: { vault }, method: 'GET', path, what })).data);
      },
    }),

    delete: defineCommand({
      description: {
        en: `Deletes the ${thing.en} with all its versions softly: it cannot be used, and \`recover\` brings it back while it is kept. A VM whose disks need it will not get through its next boot.`,
        ja: `${thing.ja}をすべてのバージョンごと論理的に削除します。使用できなくなりますが、保持期間中は \`recover\` で復旧できます。これを必要とするディスクを持つ VM は次回起動できません。`,
      },
      options: objectOptions,
      examples: [{ line: line('delete'), does: { en: 'delete it', ja: '削除する' } }],
      async run({ options }, context) {
        const { vault, name } = objectName(options, collection);
        using azure = await connectAzure(options.data, context.environment);
        const what = `${word} ${name} of ${vault}`;
        const reply = await azure.call({ plane: { vault }, method: 'DELETE', path: pathOf(collection, name), what });
        return shown(reply.data);
      },
    }),

    recover: defineCommand({
      options: objectOptions,
      examples: [{ line: line('recover'), does: { en: 'bring it back', ja: '復旧する' } }],
      async run({ options }, context) {
        const { vault, name } = objectName(options, collection);
        using azure = await connectAzure(options.data, context.environment);
        const path = pathOf(`deleted${collection}`, name, 'recover');
        const what = `deleted ${word} ${name} of ${vault}`;
        return shown((await azure.call({ plane: { vault }, method: 'POST', path, what })).data);
      },
    }),

    purge: defineCommand({
      description: {
        en: `Destroys a deleted ${thing.en} for ever. Disks that need it can never be opened again. It takes the permission purge, which the permission all does not hold (as in Azure).`,
        ja: `削除された${thing.ja}を完全に消去します。これを必要とするディスクは二度と開けません。all には含まれない purge 権限が必要です (Azure と同じ)。`,
      },
      options: objectOptions,
      examples: [{ line: `${line('purge')} --yes`, does: { en: 'without asking', ja: '確認なしで消去する' } }],
      async run({ options }, context) {
        const { vault, name } = objectName(options, collection);
        const sure = await context.confirm({
          en: `Destroy the deleted ${thing.en} ${name} of ${vault} for ever?`,
          ja: `${vault} の削除された${thing.ja} ${name} を完全に消去しますか?`,
        });
        if (!sure) return {};
        using azure = await connectAzure(options.data, context.environment);
        const path = pathOf(`deleted${collection}`, name);
        const what = `deleted ${word} ${name} of ${vault}`;
        await azure.call({ plane: { vault }, method: 'DELETE', path, what });
        return {};
      },
    }),

    backup: defineCommand({
      description: {
        en: 'Writes all versions as one sealed file (mode 0600) that only the installation that made it can restore.',
        ja: 'すべてのバージョンを 1 つの封印されたファイル (モード 0600) に書き出します。復元できるのは作成元のインストールのみです。',
      },
      options: {
        ...objectOptions,
        file: text('FILE', { en: 'where to write it', ja: '書き込み先' }, { short: 'f', required: true }),
      },
      examples: [
        { line: `${line('backup')} --file ${object}.backup`, does: { en: 'back it up', ja: 'バックアップする' } },
      ],
      async run({ options }, context) {
        const { vault, name } = objectName(options, collection);
        using azure = await connectAzure(options.data, context.environment);
        const what = `${word} ${name} of ${vault}`;
        const path = pathOf(collection, name, 'backup');
        const reply = await azure.call({ plane: { vault }, method: 'POST', path, what });
        await writePrivate(options.file, Buffer.from(String(reply.data.value), 'base64url'));
        return {};
      },
    }),

    restore: defineCommand({
      options: {
        ...inVaultOptions,
        file: text(
          'FILE',
          { en: 'what backup wrote; - is standard input', ja: 'バックアップ ファイル。- は標準入力' },
          {
            short: 'f',
            required: true,
          },
        ),
      },
      examples: [
        {
          line: line('restore', `--vault-name kv1 --file ${object}.backup`),
          does: { en: 'put it back', ja: '復元する' },
        },
      ],
      async run({ options: { vaultName: vault, file, data } }, context) {
        using backup = await readBytes(file, backupLimitBytes);
        using azure = await connectAzure(data, context.environment);
        using value = encodeBase64Url(backup);
        const what = `backup of a ${word} into ${vault}`;
        const path = pathOf(collection, 'restore');
        return shown((await azure.call({ plane: { vault }, method: 'POST', path, body: { value }, what })).data);
      },
    }),
  };
}
