import { InvalidArgumentError } from 'commander';
import { defineCommand } from '../../program/command.ts';
import { choice, number, type Option } from '../../program/options.ts';
import { connectAdmin } from '../server/admin-connection.ts';
import { keyOptions } from './key-options.ts';

const sizeOption: Option<number | undefined> = {
  ...number('2048|3072|4096', { en: 'bits; default 2048', ja: 'ビット数。既定は 2048' }),
  parse: (word) => {
    if (!['2048', '3072', '4096'].includes(word)) throw new InvalidArgumentError('one of 2048, 3072, 4096');
    return Number(word);
  },
};

export const command = defineCommand({
  description: {
    en: 'Makes a key, or a new version of one that is there. The private half never leaves the vault.',
    ja: 'キー、または既存のキーの新しいバージョンを作成します。秘密鍵がキー コンテナーの外に出ることはありません。',
  },
  options: {
    ...keyOptions,
    kty: choice(['RSA', 'RSA-HSM'], { en: 'type of key; default RSA', ja: 'キーの種類。既定は RSA' }),
    size: sizeOption,
  },
  examples: [
    {
      line: 'kannuki keyvault key create --vault-name kv1 -n kek1 --kty RSA --size 3072',
      does: { en: 'a key encryption key', ja: 'キー暗号化キー (KEK)' },
    },
  ],
  async run({ options: { vaultName, name, kty, size, data } }, context) {
    return {
      data: await connectAdmin(data, context.environment).call('keyvault-key-create', {
        vaultName,
        name,
        kind: kty ?? 'RSA',
        bits: size ?? 2048,
      }),
    };
  },
});
