import { createCipheriv, randomBytes, subtle, type webcrypto } from 'node:crypto';
import { SecretBytes } from '@kannuki/core';
import { ownBytes } from './own-bytes.ts';

/**
 * Sealed bytes: format 1, nonce (12), tag (16), ciphertext: AES-256-GCM. Nonces are random; a data key seals one value
 * only, and the root key seals far fewer data keys than the 2^32 that random nonces are good for (SP 800-38D, 8.3).
 */
const format = 1;
const nonceStart = 1;
const tagStart = nonceStart + 12;
const tagBytes = 16;
const textStart = tagStart + tagBytes;
const algorithm = 'aes-256-gcm';

/** How many leading bytes of a sealed value stand for all of it: with the key secret, the tag commits to the rest. */
export const sealedHeadBytes = textStart;

/** @param context associated data: what the sealed bytes are bound to */
export function seal(key: SecretBytes, plain: SecretBytes, context: Uint8Array): Uint8Array {
  const nonce = randomBytes(tagStart - nonceStart);
  const cipher = createCipheriv(algorithm, key.bytes, nonce);
  cipher.setAAD(context);
  const text = Buffer.concat([cipher.update(plain.bytes), cipher.final()]);
  return Buffer.concat([Buffer.of(format), nonce, cipher.getAuthTag(), text]);
}

/** As `seal`, under a key that was imported once (see `importSealingKey`). */
export async function sealUnder(
  key: webcrypto.CryptoKey,
  plain: SecretBytes,
  context: Uint8Array,
): Promise<Uint8Array> {
  const nonce = randomBytes(tagStart - nonceStart);
  const parameters = { name: 'AES-GCM', iv: ownBytes(nonce), additionalData: ownBytes(context) };
  const textThenTag = Buffer.from(await subtle.encrypt(parameters, key, ownBytes(plain.bytes)));
  const textLength = textThenTag.length - tagBytes;
  return Buffer.concat([
    Buffer.of(format),
    nonce,
    textThenTag.subarray(textLength),
    textThenTag.subarray(0, textLength),
  ]);
}

/** A key that many values are opened with: imported once, and not to be had out again. The bytes stay the caller's. */
export function importSealingKey(key: SecretBytes): Promise<webcrypto.CryptoKey> {
  return subtle.importKey('raw', ownBytes(key.bytes), 'AES-GCM', false, ['encrypt', 'decrypt']);
}

/**
 * Goes through Web Crypto and not through `createDecipheriv`, whose update() leaves a copy of the plain text in freed
 * memory (it shrinks its output by copying); Web Crypto hands over the very memory it decrypted into, off the event loop.
 * @returns undefined where anything differs by one bit; the caller disposes the result
 */
export async function openSealed(
  key: SecretBytes | webcrypto.CryptoKey,
  sealed: Uint8Array,
  context: Uint8Array,
): Promise<SecretBytes | undefined> {
  if (sealed.length < textStart || sealed[0] !== format) return undefined;
  const textThenTag = Buffer.concat([sealed.subarray(textStart), sealed.subarray(tagStart, textStart)]);
  const parameters = {
    name: 'AES-GCM',
    iv: ownBytes(sealed.subarray(nonceStart, tagStart)),
    additionalData: ownBytes(context),
  };
  const cryptoKey = key instanceof SecretBytes ? await importSealingKey(key) : key;
  try {
    return SecretBytes.take(new Uint8Array(await subtle.decrypt(parameters, cryptoKey, textThenTag)));
  } catch {
    return undefined;
  }
}

/** Joins fields so that no two lists of fields give the same bytes: each goes with its length. */
export function bindFields(fields: readonly (string | number | Uint8Array)[]): Buffer {
  const parts: Uint8Array[] = [];
  for (const field of fields) {
    const bytes = field instanceof Uint8Array ? field : Buffer.from(String(field), 'utf8');
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    parts.push(length, bytes);
  }
  return Buffer.concat(parts);
}
