import { encodeBase64, KannukiError, SecretBytes } from '@kannuki/core';
import { decodeBase64Any, encodeBase64Url } from '../../../azure-client/base64url.ts';
import { connectAzure } from '../../../azure-client/connect.ts';
import { pathOf } from '../../../azure-client/connection.ts';
import { readBytes, writePrivate } from '../../../azure-client/private-files.ts';
import { defineCommand } from '../../../program/command.ts';
import type { CommandContext } from '../../../program/context.ts';
import { choice, text } from '../../../program/options.ts';
import { objectName, versionedOptions } from '../objects/object-options.ts';
import type { Wire } from '../objects/shapes.ts';

const encryptionAlgorithms = ['RSA-OAEP', 'RSA-OAEP-256', 'RSA1_5'] as const;
const signatureAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'ES256K',
] as const;

/** An RSA block of 4096 bits, with room. */
const valueLimitBytes = 4096;

const algorithmOption = choice(
  encryptionAlgorithms,
  { en: 'algorithm', ja: 'アルゴリズム' },
  { short: 'a', required: true },
);

const dataTypeOption = choice(['base64', 'plaintext'], {
  en: 'form of the plain value on the command line and in the result; default base64',
  ja: 'コマンド ラインと結果での平文の形式。既定は base64',
});

const signatureOption = choice(
  signatureAlgorithms,
  { en: 'algorithm', ja: 'アルゴリズム' },
  { short: 'a', required: true },
);

const digestOption = text(
  'BASE64',
  { en: 'the digest, made with the hash of the algorithm', ja: 'アルゴリズムのハッシュで作成したダイジェスト' },
  { required: true },
);

export const encryptCommand = defineCommand({
  description: {
    en: 'Encrypts a small value with the public half of a key. A value of --value can be seen by others in the process list: use --file.',
    ja: 'キーの公開鍵で短い値を暗号化します。--value の値はプロセス一覧から見えるため、--file を使用してください。',
  },
  options: {
    ...versionedOptions,
    algorithm: algorithmOption,
    value: text('VALUE', { en: 'the value; seen in the process list', ja: '値。プロセス一覧から見える' }),
    file: text(
      'FILE',
      { en: 'file with the bytes; - is standard input', ja: 'バイト列のファイル。- は標準入力' },
      { short: 'f' },
    ),
    dataType: dataTypeOption,
  },
  examples: [
    {
      line: 'kannuki keyvault key encrypt --vault-name kv1 -n k1 -a RSA-OAEP-256 --file small.bin',
      does: { en: 'the result is base64', ja: '結果は base64' },
    },
  ],
  async run({ options }, context) {
    using plain = await givenBytes(options, options.dataType ?? 'base64', 'encrypt');
    const { algorithm } = options;
    const { rest, secret } = await operate(options, 'encrypt', { alg: algorithm, value: plain }, context);
    using result = secret;
    return { data: cryptShape(rest, algorithm, textOf(encodeBase64(result))) };
  },
});

export const decryptCommand = defineCommand({
  description: {
    en: 'Decrypts what `key encrypt` made. With --to-file the plain bytes go to a file of mode 0600 and are printed nowhere.',
    ja: '`key encrypt` の結果を復号します。--to-file を指定すると、平文はモード 0600 のファイルに書き出され、表示されません。',
  },
  options: {
    ...versionedOptions,
    algorithm: algorithmOption,
    value: text('BASE64', { en: 'the encrypted value', ja: '暗号化された値' }),
    file: text('FILE', { en: 'file with the encrypted bytes', ja: '暗号化されたバイト列のファイル' }, { short: 'f' }),
    toFile: text('FILE', { en: 'where to write the plain bytes', ja: '平文の書き込み先' }),
    dataType: dataTypeOption,
  },
  examples: [
    {
      line: 'kannuki keyvault key decrypt --vault-name kv1 -n k1 -a RSA-OAEP-256 --value BASE64 --to-file small.bin',
      does: { en: 'into a private file', ja: '非公開のファイルに書き出す' },
    },
  ],
  async run({ options }, context) {
    using encrypted = await givenBytes(options, 'base64', 'decrypt');
    const { algorithm, toFile } = options;
    const { rest, secret } = await operate(options, 'decrypt', { alg: algorithm, value: encrypted }, context);
    using plain = secret;
    if (toFile !== undefined) {
      await writePrivate(toFile, plain.bytes);
      return {};
    }
    const shown = options.dataType === 'plaintext' ? SecretBytes.copy(plain.bytes) : encodeBase64(plain);
    return { data: cryptShape(rest, algorithm, textOf(shown)) };
  },
});

export const signCommand = defineCommand({
  options: { ...versionedOptions, algorithm: signatureOption, digest: digestOption },
  examples: [
    {
      line: 'kannuki keyvault key sign --vault-name kv1 -n k1 -a ES256 --digest $(openssl sha256 -binary FILE | base64)',
      does: { en: 'sign a file', ja: 'ファイルに署名する' },
    },
  ],
  async run({ options }, context) {
    const { algorithm } = options;
    using digest = fromBase64(options.digest, '--digest');
    const { rest, secret } = await operate(options, 'sign', { alg: algorithm, value: digest }, context);
    using signature = secret;
    return { data: { algorithm, keyId: rest.kid, signature: textOf(encodeBase64(signature)) } };
  },
});

export const verifyCommand = defineCommand({
  description: {
    en: 'Prints isValid true or false; both end with 0.',
    ja: 'isValid に true または false を表示します。どちらも終了コードは 0 です。',
  },
  options: {
    ...versionedOptions,
    algorithm: signatureOption,
    digest: digestOption,
    signature: text('BASE64', { en: 'what sign gave', ja: 'sign の結果' }, { required: true }),
  },
  examples: [
    {
      line: 'kannuki keyvault key verify --vault-name kv1 -n k1 -a ES256 --digest BASE64 --signature BASE64',
      does: { en: 'is it the signature of that digest', ja: '署名を検証する' },
    },
  ],
  async run({ options }, context) {
    const { algorithm } = options;
    const named = objectName(options, 'keys');
    using digest = fromBase64(options.digest, '--digest');
    using signature = fromBase64(options.signature, '--signature');
    using sent = encodeBase64Url(digest);
    using sentSignature = encodeBase64Url(signature);
    using azure = await connectAzure(options.data, context.environment);
    const { data } = await azure.call({
      plane: { vault: named.vault },
      method: 'POST',
      path: pathOf('keys', named.name, named.version ?? '', 'verify'),
      body: { alg: algorithm, digest: sent, value: sentSignature },
      what: `verify with the key ${named.name} of ${named.vault}`,
    });
    return { data: { algorithm, isValid: data.value === true, keyId: keyIdOf(options.id, data) } };
  },
});

interface Named {
  readonly vaultName: string | undefined;
  readonly name: string | undefined;
  readonly id: string | undefined;
  readonly version: string | undefined;
  readonly data: string | undefined;
}

/** One call on a key: bytes go out as base64url, and so they come back. The caller disposes `secret`. */
async function operate(
  options: Named,
  operation: 'encrypt' | 'decrypt' | 'sign',
  { alg, value }: { readonly alg: string; readonly value: SecretBytes },
  context: CommandContext,
): Promise<{ readonly rest: Wire; readonly secret: SecretBytes }> {
  const named = objectName(options, 'keys');
  const what = `${operation} with the key ${named.name} of ${named.vault}`;
  using sent = encodeBase64Url(value);
  using azure = await connectAzure(options.data, context.environment);
  const reply = await azure.call({
    plane: { vault: named.vault },
    method: 'POST',
    path: pathOf('keys', named.name, named.version ?? '', operation),
    body: { alg, value: sent },
    what,
    secretMember: 'value',
  });
  using encoded = reply.secret;
  const secret = encoded === undefined ? undefined : decodeBase64Any(encoded.bytes);
  if (secret === undefined)
    throw new KannukiError('KNK-AZC-0007', { details: { what, reason: 'the answer has no value' } });
  return { rest: reply.data, secret };
}

async function givenBytes(
  { value, file }: { readonly value: string | undefined; readonly file: string | undefined },
  form: 'base64' | 'plaintext',
  verb: string,
): Promise<SecretBytes> {
  if ((value === undefined) === (file === undefined)) {
    const details = { problem: 'give --value or --file', command: `kannuki keyvault key ${verb}` };
    throw new KannukiError('KNK-CLI-0005', { details });
  }
  if (file !== undefined) return readBytes(file, valueLimitBytes);
  return form === 'base64' ? fromBase64(value ?? '', '--value') : SecretBytes.take(Buffer.from(value ?? '', 'utf8'));
}

function fromBase64(word: string, name: string): SecretBytes {
  const bytes = decodeBase64Any(Buffer.from(word, 'utf8'));
  if (bytes !== undefined && bytes.length > 0) return bytes;
  // What was given may be the secret itself, in the wrong form: it is not quoted.
  const details = { word: name, value: '…', expected: 'base64', command: 'kannuki keyvault key' };
  throw new KannukiError('KNK-CLI-0004', { details });
}

function cryptShape({ kid }: Wire, algorithm: string, result: string): object {
  return { additionalAuthenticatedData: null, algorithm, authenticationTag: null, iv: null, kid, result };
}

function keyIdOf(id: string | undefined, { kid }: Wire): unknown {
  return kid ?? id ?? null;
}

/** To be printed is what was asked for. */
function textOf(shown: SecretBytes): string {
  using bytes = shown;
  return Buffer.from(bytes.bytes).toString('utf8');
}
