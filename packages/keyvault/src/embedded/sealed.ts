import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { SecretBytes } from '@kannuki/core';

/**
 * Sealed bytes: format 1, nonce (12), tag (16), ciphertext: AES-256-GCM. Nonces are random; a data key seals one value
 * only, and the root key seals far fewer data keys than the 2^32 that random nonces are good for (SP 800-38D, 8.3).
 */
const format = 1;
const nonceStart = 1;
const tagStart = nonceStart + 12;
const textStart = tagStart + 16;
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

/** @returns undefined where anything differs by one bit; the caller disposes the result */
export function openSealed(key: SecretBytes, sealed: Uint8Array, context: Uint8Array): SecretBytes | undefined {
  if (sealed.length < textStart || sealed[0] !== format) return undefined;
  const decipher = createDecipheriv(algorithm, key.bytes, sealed.subarray(nonceStart, tagStart));
  decipher.setAAD(context);
  decipher.setAuthTag(sealed.subarray(tagStart, textStart));
  const plain = SecretBytes.take(decipher.update(sealed.subarray(textStart)));
  try {
    decipher.final();
    return plain;
  } catch {
    plain[Symbol.dispose]();
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
