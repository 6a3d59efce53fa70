import { encodeBase64, KannukiError, SecretBytes } from '@kannuki/core';
import { connectAzure } from '../../../azure-client/connect.ts';
import { pathOf } from '../../../azure-client/connection.ts';
import { readBytes } from '../../../azure-client/private-files.ts';
import { tagsOf } from '../../../azure-client/resources.ts';
import { isText } from '../../../azure-client/secret-json.ts';
import { defineCommand } from '../../../program/command.ts';
import { choice, flag, text } from '../../../program/options.ts';
import { attributesOf, objectName, objectOptions, tagsOption, validityOptions } from '../objects/object-options.ts';
import { objectTable } from '../objects/object-table.ts';
import { secretShape } from '../objects/shapes.ts';

/** REQ-345: a secret's value, as UTF-8. */
const valueLimitBytes = 25 * 1024;

export const command = defineCommand({
  description: {
    en: 'Stores a secret, or a new version of one that is there. A value of --value can be seen by others in the process list while the command runs, and stays in the history of the shell: use --file. What is stored is not printed again.',
    ja: 'シークレット、または既存のシークレットの新しいバージョンを保存します。--value の値は、実行中はプロセス一覧から見え、シェルの履歴にも残るため、--file を使用してください。保存した値は表示しません。',
  },
  options: {
    ...objectOptions,
    value: text('TEXT', { en: 'the value; seen in the process list', ja: '値。プロセス一覧から見える' }),
    file: text(
      'FILE',
      { en: 'file with the value, to the last byte; - is standard input', ja: '値のファイル (全バイト)。- は標準入力' },
      { short: 'f' },
    ),
    encoding: choice(
      ['utf-8', 'base64', 'hex'],
      {
        en: 'how the bytes of --file are stored; default utf-8, as they are',
        ja: '--file のバイト列の保存形式。既定は utf-8 (そのまま)',
      },
      { short: 'e' },
    ),
    contentType: text('TYPE', { en: 'what it is, for its readers', ja: 'コンテンツの種類' }),
    description: text('TYPE', { en: 'as --content-type', ja: '--content-type と同じ' }),
    disabled: flag({ en: 'not to be used yet', ja: '無効な状態で作成する' }),
    ...validityOptions,
    tags: tagsOption,
  },
  examples: [
    {
      line: 'kannuki keyvault secret set --vault-name kv1 -n s1 --file -',
      does: { en: 'the value from standard input', ja: '標準入力から値を読み取る' },
    },
  ],
  async run({ options }, context) {
    const named = objectName(options, 'secrets');
    const { vault, name } = named;
    using value = await givenValue(options);
    using azure = await connectAzure(options.data, context.environment);
    const tags = { ...fileTags(options), ...tagsOf(options.tags) };
    const contentType = options.contentType ?? options.description;
    const reply = await azure.call({
      plane: { vault },
      method: 'PUT',
      path: pathOf('secrets', name),
      body: {
        value,
        attributes: attributesOf({ ...options, enabled: !options.disabled }),
        ...(contentType === undefined ? {} : { contentType }),
        ...(Object.keys(tags).length === 0 ? {} : { tags }),
      },
      what: `secret ${name} of ${vault}`,
      // Azure answers with the value; it goes nowhere.
      secretMember: 'value',
    });
    reply.secret?.[Symbol.dispose]();
    return { data: secretShape(reply.data), table: () => objectTable([reply.data]) };
  },
});

interface Given {
  readonly value: string | undefined;
  readonly file: string | undefined;
  readonly encoding: 'utf-8' | 'base64' | 'hex' | undefined;
}

/** As az: who downloads it must know how the bytes were stored. */
function fileTags({ file, encoding }: Given): Record<string, string> {
  return file === undefined || encoding === undefined ? {} : { 'file-encoding': encoding };
}

async function givenValue({ value, file, encoding = 'utf-8' }: Given): Promise<SecretBytes> {
  if ((value === undefined) === (file === undefined)) {
    const details = { problem: 'give --value or --file', command: 'kannuki keyvault secret set' };
    throw new KannukiError('KNK-CLI-0005', { details });
  }
  if (value !== undefined) return SecretBytes.take(Buffer.from(value, 'utf8'));
  const read = await readBytes(file ?? '', valueLimitBytes);
  if (encoding !== 'utf-8') {
    using bytes = read;
    return encoding === 'base64' ? encodeBase64(bytes) : encodeHex(bytes);
  }
  if (isText(read)) return read;
  read[Symbol.dispose]();
  const reason = 'it is no UTF-8 text: use --encoding base64';
  throw new KannukiError('KNK-AZC-0011', { details: { file: file ?? '', reason } });
}

function encodeHex({ bytes }: SecretBytes): SecretBytes {
  const digits = Buffer.from('0123456789abcdef', 'latin1');
  const output = new Uint8Array(bytes.length * 2);
  for (const [at, byte] of bytes.entries()) {
    output[at * 2] = digits[byte >> 4] ?? 0;
    output[at * 2 + 1] = digits[byte & 15] ?? 0;
  }
  return SecretBytes.take(output);
}
