import { connectAzure } from '../../../azure-client/connect.ts';
import { tagsOf } from '../../../azure-client/resources.ts';
import { defineCommand } from '../../../program/command.ts';
import { choice, list } from '../../../program/options.ts';
import { changeVault } from './put-vault.ts';
import { changeableOptions, changesOf, vaultOptions } from './vault-options.ts';

export const command = defineCommand({
  description: {
    en: 'Changes what is named and leaves the rest. The retention of deleted things is fixed when a vault is made, and purge protection cannot be taken back.',
    ja: '指定した項目のみを変更します。削除されたものの保持日数は作成時に決まり、消去保護は取り消せません。',
  },
  options: {
    ...vaultOptions,
    ...changeableOptions,
    defaultAction: choice(['Allow', 'Deny'], {
      en: 'for addresses that no network rule names',
      ja: 'ネットワーク規則にないアドレスの扱い',
    }),
    bypass: choice(['AzureServices', 'None'], {
      en: 'who is let through in spite of network rules',
      ja: 'ネットワーク規則の例外',
    }),
    tags: list('NAME=VALUE', { en: 'new tags in place of the old; "" for none', ja: '新しいタグ。"" ですべて削除' }),
  },
  examples: [
    {
      line: 'kannuki keyvault update -n kv1 --enable-purge-protection true',
      does: { en: 'nothing can be purged early any more', ja: '消去保護を有効にする' },
    },
  ],
  async run({ options }, context) {
    using azure = await connectAzure(options.data, context.environment);
    const rest = options.tags.length === 0 ? {} : { tags: tagsOf(options.tags) };
    return { data: await changeVault(azure, options, (before) => changesOf(options, before), context, rest) };
  },
});
