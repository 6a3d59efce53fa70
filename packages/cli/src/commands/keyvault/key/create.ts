import { InvalidArgumentError } from 'commander';
import { connectAzure } from '../../../azure-client/connect.ts';
import { pathOf } from '../../../azure-client/connection.ts';
import { tagsOf } from '../../../azure-client/resources.ts';
import { defineCommand } from '../../../program/command.ts';
import { choice, flag, list, number, type Option } from '../../../program/options.ts';
import { attributesOf, objectName, objectOptions, tagsOption, validityOptions } from '../objects/object-options.ts';
import { objectTable } from '../objects/object-table.ts';
import { keyShape } from '../objects/shapes.ts';

const sizeOption: Option<number | undefined> = {
  ...number('2048|3072|4096', { en: 'bits of an RSA key; default 2048', ja: 'RSA キーのビット数。既定は 2048' }),
  parse: (word) => {
    if (!['2048', '3072', '4096'].includes(word)) throw new InvalidArgumentError('one of 2048, 3072, 4096');
    return Number(word);
  },
};

export const opsOption = list('OPERATION', {
  en: 'what it may do: encrypt decrypt wrapKey unwrapKey sign verify; default all that its kind can',
  ja: '許可する操作 (encrypt, decrypt, wrapKey, unwrapKey, sign, verify)。既定は可能なすべて',
});

export const protectionOption = choice(
  ['software', 'hsm'],
  {
    en: 'hsm: made in an HSM and never outside it (premium vaults)',
    ja: 'hsm: HSM 内で生成され外に出ない (premium のみ)',
  },
  { short: 'p' },
);

export const command = defineCommand({
  description: {
    en: 'Makes a key, or a new version of one that is there. The private half never leaves the vault.',
    ja: 'キー、または既存のキーの新しいバージョンを作成します。秘密鍵がキー コンテナーの外に出ることはありません。',
  },
  options: {
    ...objectOptions,
    kty: choice(['RSA', 'RSA-HSM', 'EC', 'EC-HSM'], { en: 'type of key; default RSA', ja: 'キーの種類。既定は RSA' }),
    size: sizeOption,
    curve: choice(['P-256', 'P-384', 'P-521', 'P-256K'], {
      en: 'curve of an EC key; default P-256',
      ja: 'EC キーの曲線。既定は P-256',
    }),
    ops: opsOption,
    protection: protectionOption,
    disabled: flag({ en: 'not to be used yet', ja: '無効な状態で作成する' }),
    ...validityOptions,
    tags: tagsOption,
  },
  examples: [
    {
      line: 'kannuki keyvault key create --vault-name kv1 -n kek1 --kty RSA --size 3072',
      does: { en: 'a key encryption key', ja: 'キー暗号化キー (KEK)' },
    },
  ],
  async run({ options }, context) {
    const { vault, name } = objectName(options, 'keys');
    const { size, curve, ops, protection, disabled, tags } = options;
    const kind = options.kty ?? (curve === undefined ? 'RSA' : 'EC');
    const kty = protection === 'hsm' && !kind.endsWith('-HSM') ? `${kind}-HSM` : kind;
    const shape = kty.startsWith('RSA') ? { key_size: size ?? 2048 } : { crv: curve ?? 'P-256' };
    using azure = await connectAzure(options.data, context.environment);
    const { data } = await azure.call({
      plane: { vault },
      method: 'POST',
      path: pathOf('keys', name, 'create'),
      body: {
        kty,
        ...shape,
        ...(ops.length === 0 ? {} : { key_ops: ops }),
        attributes: attributesOf({ ...options, enabled: !disabled }),
        ...(tags.length === 0 ? {} : { tags: tagsOf(tags) }),
      },
      what: `key ${name} of ${vault}`,
    });
    return { data: keyShape(data), table: () => objectTable([data]) };
  },
});
