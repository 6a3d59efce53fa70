import { KannukiError, SecretBytes } from '@kannuki/core';
import { decodeBase64Any } from '../../../azure-client/base64url.ts';
import { connectAzure } from '../../../azure-client/connect.ts';
import { writePrivate } from '../../../azure-client/private-files.ts';
import { defineCommand } from '../../../program/command.ts';
import { choice, text } from '../../../program/options.ts';
import { objectName, objectPath, versionedOptions } from '../objects/object-options.ts';

const encodings = ['utf-8', 'base64', 'hex'] as const;

export const command = defineCommand({
  description: {
    en: 'Writes the value of a secret to a file of mode 0600; it is printed nowhere.',
    ja: 'シークレットの値をモード 0600 のファイルに書き出します。画面には表示しません。',
  },
  options: {
    ...versionedOptions,
    file: text('FILE', { en: 'where to write it', ja: '書き込み先' }, { short: 'f', required: true }),
    encoding: choice(
      encodings,
      {
        en: 'how the value stands in the vault; default what the tag file-encoding says, else utf-8',
        ja: 'キー コンテナーでの値の形式。既定は file-encoding タグ、なければ utf-8',
      },
      { short: 'e' },
    ),
  },
  examples: [
    {
      line: 'kannuki keyvault secret download --vault-name kv1 -n s1 --file s1.txt',
      does: { en: 'the value into a private file', ja: '値を非公開のファイルに書き出す' },
    },
  ],
  async run({ options }, context) {
    const named = objectName(options, 'secrets');
    using azure = await connectAzure(options.data, context.environment);
    const what = `secret ${named.name} of ${named.vault}`;
    const { data, secret } = await azure.call({
      plane: { vault: named.vault },
      method: 'GET',
      path: objectPath('secrets', named),
      what,
      secretMember: 'value',
    });
    using value = secret;
    if (value === undefined) {
      throw new KannukiError('KNK-AZC-0007', { details: { what, reason: 'the answer has no value' } });
    }
    const tag = (data.tags as Record<string, unknown> | null | undefined)?.['file-encoding'];
    const encoding = options.encoding ?? encodings.find((one) => one === tag) ?? 'utf-8';
    using bytes = decoded(value, encoding);
    if (bytes === undefined) {
      throw new KannukiError('KNK-AZC-0007', { details: { what, reason: `its value is not ${encoding}` } });
    }
    await writePrivate(options.file, bytes.bytes);
    return {};
  },
});

/** @returns undefined for a value that does not stand in the vault like that */
function decoded(value: SecretBytes, encoding: (typeof encodings)[number]): SecretBytes | undefined {
  if (encoding === 'utf-8') return SecretBytes.copy(value.bytes);
  return encoding === 'base64' ? decodeBase64Any(value.bytes) : decodeHex(value.bytes);
}

function decodeHex(digits: Uint8Array): SecretBytes | undefined {
  const output = new Uint8Array(digits.length >> 1);
  for (const [at, digit] of digits.entries()) {
    const value = digit >= 0x30 && digit <= 0x39 ? digit - 0x30 : (digit | 0x20) - 0x57;
    const isHex = value >= 0 && value < 16 && (value < 10 || digit >= 0x41);
    if (!isHex || digits.length % 2 !== 0) {
      output.fill(0);
      return undefined;
    }
    output[at >> 1] = ((output[at >> 1] ?? 0) << 4) | value;
  }
  return SecretBytes.take(output);
}
