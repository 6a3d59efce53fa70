import { KannukiError } from '@kannuki/core';
import { connectAzure } from '../../../azure-client/connect.ts';
import { pathOf } from '../../../azure-client/connection.ts';
import { readBytes, readLine } from '../../../azure-client/private-files.ts';
import { privateJwk } from '../../../azure-client/private-jwk.ts';
import { tagsOf } from '../../../azure-client/resources.ts';
import { defineCommand } from '../../../program/command.ts';
import { flag, text } from '../../../program/options.ts';
import { attributesOf, objectName, objectOptions, tagsOption, validityOptions } from '../objects/object-options.ts';
import { objectTable } from '../objects/object-table.ts';
import { keyShape } from '../objects/shapes.ts';
import { opsOption, protectionOption } from './create.ts';

const pemLimitBytes = 64 * 1024;

export const command = defineCommand({
  description: {
    en: 'Brings a private key of your own into a vault. The file stays where it is: remove it safely afterwards.',
    ja: '手元の秘密鍵をキー コンテナーに取り込みます。ファイルはそのまま残るため、後で安全に削除してください。',
  },
  options: {
    ...objectOptions,
    pemFile: text(
      'FILE',
      { en: 'PEM private key, RSA or EC; - is standard input', ja: 'PEM 秘密鍵 (RSA または EC)。- は標準入力' },
      { required: true },
    ),
    pemPasswordFile: text('FILE', { en: 'file with its passphrase', ja: '秘密鍵のパスフレーズのファイル' }),
    ops: opsOption,
    protection: protectionOption,
    disabled: flag({ en: 'not to be used yet', ja: '無効な状態で取り込む' }),
    ...validityOptions,
    tags: tagsOption,
  },
  examples: [
    {
      line: 'kannuki keyvault key import --vault-name kv1 -n kek1 --pem-file key.pem',
      does: { en: 'a key made elsewhere', ja: '別の場所で作成したキーを取り込む' },
    },
  ],
  async run({ options }, context) {
    const { vault, name } = objectName(options, 'keys');
    const { pemFile, pemPasswordFile, ops, protection, disabled, tags } = options;
    using pem = await readBytes(pemFile, pemLimitBytes);
    using passphrase = pemPasswordFile === undefined ? undefined : await readLine(pemPasswordFile, 1024);
    using jwk = privateJwk(pem, passphrase);
    if (jwk === undefined) {
      const reason = 'it holds no PEM key of RSA or a known curve, or its passphrase is another';
      throw new KannukiError('KNK-AZC-0011', { details: { file: pemFile, reason } });
    }
    using azure = await connectAzure(options.data, context.environment);
    const { data } = await azure.call({
      plane: { vault },
      method: 'PUT',
      path: pathOf('keys', name),
      body: {
        key: { ...jwk.members, ...(ops.length === 0 ? {} : { key_ops: ops }) },
        Hsm: protection === 'hsm',
        attributes: attributesOf({ ...options, enabled: !disabled }),
        ...(tags.length === 0 ? {} : { tags: tagsOf(tags) }),
      },
      what: `key ${name} of ${vault}`,
    });
    return { data: keyShape(data), table: () => objectTable([data]) };
  },
});
