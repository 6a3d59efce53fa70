import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { KannukiError, SecretBytes } from '@kannuki/core';
import { fileHead, refusedFile } from './file-format.ts';
import { type RawRootKey, rawRootKey, rootKeyBytes } from './memory-root-key.ts';

/** How a token keeps a root key: a byte of the file. */
export const tokenMethods = { 'AES-GCM': 1, 'AES-CBC-PAD': 2, 'RSA-OAEP': 3 } as const;
export type TokenMethod = keyof typeof tokenMethods;

/** A root key as a token has sealed it: which key of the token, and how. */
export interface TokenSealed {
  readonly method: TokenMethod;
  /** CKA_LABEL and CKA_ID of the key in the token. */
  readonly keyLabel: string;
  readonly keyId: Uint8Array;
  readonly sealed: Uint8Array;
}

/** The part of a PKCS #11 token that root keys need: see `pkcs11/token-root-key.ts`. */
export interface RootKeyToken {
  readonly label: string;
  /** Seals under a key that is made in the token for this and cannot be taken out. @throws KannukiError KNK-KVT-0042 */
  seal(key: SecretBytes): Promise<TokenSealed>;
  /** @returns undefined where it does not open; the caller disposes it. @throws KannukiError KNK-KVT-0042 */
  open(sealed: TokenSealed): Promise<SecretBytes | undefined>;
  close(): Promise<void>;
}

const macBytes = 32;

/**
 * The root key sealed in a token. Body: method (a byte), label of the token, label and id of the key in it, sealed key
 * (each behind its length: a byte, two for the last), HMAC-SHA256 over everything before it with a key derived from the
 * root key: neither CBC nor OAEP would notice who made the file. The module's path is not in it: who can write the file
 * must not choose which library the server loads.
 */
export async function encodeUnderToken(raw: RawRootKey, token: RootKeyToken): Promise<Buffer> {
  const { method, keyLabel, keyId, sealed } = await token.seal(raw.key);
  const clear = Buffer.concat([
    fileHead('pkcs11', raw.id),
    Buffer.of(tokenMethods[method]),
    ...[Buffer.from(token.label), Buffer.from(keyLabel), keyId].flatMap((field) => [Buffer.of(field.length), field]),
    Buffer.of(sealed.length >> 8, sealed.length & 0xff),
    sealed,
  ]);
  return Buffer.concat([clear, fileMac(raw.key, clear)]);
}

/** The label of the token that a file belongs to. @throws KannukiError KNK-KVT-0011 */
export function tokenLabelOf(path: string, body: Uint8Array): string {
  return parse(path, body).tokenLabel;
}

/** @throws KannukiError KNK-KVT-0011 for a file that is damaged or not of this token, 0042 */
export async function decodeUnderToken(
  path: string,
  id: Uint8Array,
  body: Uint8Array,
  token: RootKeyToken,
): Promise<RawRootKey> {
  const { tokenLabel, sealed } = parse(path, body);
  if (tokenLabel !== token.label) {
    const reason = `the root key is in the token ${tokenLabel}`;
    throw new KannukiError('KNK-KVT-0042', { details: { token: token.label, reason } });
  }
  const key = await token.open(sealed);
  const clear = Buffer.concat([fileHead('pkcs11', id), body.subarray(0, -macBytes)]);
  if (key?.length === rootKeyBytes && timingSafeEqual(fileMac(key, clear), body.subarray(-macBytes))) {
    return rawRootKey(id, key);
  }
  key?.[Symbol.dispose]();
  throw refusedFile(path, `the token ${token.label} does not open it`);
}

function fileMac(key: SecretBytes, clear: Uint8Array): Buffer {
  using macKey = SecretBytes.take(new Uint8Array(hkdfSync('sha256', key.bytes, '', 'kannuki root key file', 32)));
  return createHmac('sha256', macKey.bytes).update(clear).digest();
}

function parse(path: string, body: Uint8Array): { readonly tokenLabel: string; readonly sealed: TokenSealed } {
  const end = body.length - macBytes;
  let at = 1;
  const take = (length: number): Uint8Array => {
    at += length;
    if (at > end) throw refusedFile(path, 'it has not the form of its kind');
    return body.subarray(at - length, at);
  };
  const field = (): Uint8Array => take(take(1)[0] ?? 0);
  const [tokenLabel, keyLabel, keyId] = [field(), field(), field()];
  const [high = 0, low = 0] = take(2);
  const sealed = take(high * 256 + low);
  const method = (Object.keys(tokenMethods) as TokenMethod[]).find((name) => tokenMethods[name] === body[0]);
  if (method === undefined || at !== end) throw refusedFile(path, 'it has not the form of its kind');
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');
  return { tokenLabel: text(tokenLabel), sealed: { method, keyLabel: text(keyLabel), keyId, sealed } };
}
