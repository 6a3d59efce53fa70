import { KannukiError } from '@kannuki/core';
import { connectAzure } from '../../../azure-client/connect.ts';
import { defineCommand } from '../../../program/command.ts';
import { list } from '../../../program/options.ts';
import { isFor, policiesOf, policyOptions, principalOf } from './policies.ts';
import { changeVault } from './put-vault.ts';

const name = 'kannuki keyvault set-policy';

export const command = defineCommand({
  description: {
    en: 'Says what a principal may do with the data of a vault. A list that is given takes the place of the old one; "" takes all away.',
    ja: 'キー コンテナーのデータに対するプリンシパルの権限を設定します。指定した一覧は以前の一覧を置き換えます。"" ですべて取り消します。',
  },
  options: {
    ...policyOptions,
    keyPermissions: list('PERMISSION', {
      en: 'get list create import update delete recover backup restore encrypt decrypt wrapKey unwrapKey sign verify purge rotate getrotationpolicy setrotationpolicy all',
      ja: 'キーの権限 (get, list, wrapKey, unwrapKey, all など)',
    }),
    secretPermissions: list('PERMISSION', {
      en: 'get list set delete recover backup restore purge all',
      ja: 'シークレットの権限 (get, list, set, delete, all など)',
    }),
  },
  examples: [
    {
      line: 'kannuki keyvault set-policy -n kv1 --spn APPID --secret-permissions get list --key-permissions wrapKey unwrapKey',
      does: { en: 'may read secrets and use keys', ja: 'シークレットの読み取りとキーの使用を許可する' },
    },
  ],
  async run({ options }, context) {
    const { keyPermissions, secretPermissions } = options;
    if (keyPermissions.length === 0 && secretPermissions.length === 0) {
      const details = { word: '--key-permissions or --secret-permissions', command: name };
      throw new KannukiError('KNK-CLI-0003', { details });
    }
    using azure = await connectAzure(options.data, context.environment);
    const objectId = await principalOf(azure, options, name);
    const { tenantId } = await azure.subscription();
    const change = (properties: Readonly<Record<string, unknown>>): object => {
      const all = policiesOf(properties);
      const before = all.find((policy) => isFor(policy, objectId));
      const permissions = {
        ...before?.permissions,
        ...(keyPermissions.length === 0 ? {} : { keys: given(keyPermissions) }),
        ...(secretPermissions.length === 0 ? {} : { secrets: given(secretPermissions) }),
      };
      const others = all.filter((policy) => policy !== before);
      return { accessPolicies: [...others, { tenantId, ...before, objectId, permissions }] };
    };
    return { data: await changeVault(azure, options, change, context) };
  },
});

/** One word with spaces is as good as several words: `"get list"`, and `""` is an empty list. */
function given(words: readonly string[]): string[] {
  return words.flatMap((word) => word.split(/[\s,]+/)).filter((word) => word !== '');
}
