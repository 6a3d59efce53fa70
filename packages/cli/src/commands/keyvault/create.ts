import { defineCommand } from '../../program/command.ts';
import { choice, flag, text } from '../../program/options.ts';
import { connectAdmin, dataOption } from '../server/admin-connection.ts';

export const command = defineCommand({
  description: {
    en: "Makes a key vault in the server's embedded vault: a durable database, sealed under a root key.",
    ja: 'サーバーの組み込みキー コンテナー (ルート キーで封印された永続データベース) にキー コンテナーを作成します。',
  },
  options: {
    name: text(
      'KV',
      { en: '3 to 24 letters, digits and hyphens', ja: '英数字とハイフン 3 ～ 24 文字' },
      { short: 'n', required: true },
    ),
    resourceGroup: text('RG', { en: 'resource group', ja: 'リソース グループ' }, { short: 'g', required: true }),
    location: text(
      'LOCATION',
      { en: "region; default the server's own", ja: 'リージョン。既定はサーバーのもの' },
      { short: 'l' },
    ),
    enabledForDiskEncryption: flag({ en: 'may be used for disks', ja: 'ディスク暗号化に使用できるようにする' }),
    sku: choice(['standard', 'premium'], { en: 'default standard', ja: '既定は standard' }),
    data: dataOption,
  },
  examples: [
    {
      line: 'kannuki keyvault create -n kv1 -g rg1 --enabled-for-disk-encryption',
      does: { en: 'a vault for disk passphrases', ja: 'ディスクのパスフレーズ用のキー コンテナー' },
    },
  ],
  async run({ options }, context) {
    const { name, resourceGroup, location, enabledForDiskEncryption, sku, data } = options;
    return {
      data: await connectAdmin(data, context.environment).call('keyvault-create', {
        name,
        resourceGroup,
        location: location ?? null,
        enabledForDiskEncryption,
        sku: sku ?? 'standard',
      }),
    };
  },
});
