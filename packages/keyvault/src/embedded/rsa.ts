import { constants, createPublicKey, generateKeyPair, publicEncrypt, subtle } from 'node:crypto';
import { promisify } from 'node:util';
import { KannukiError, SecretBytes } from '@kannuki/core';
import type { WrapAlgorithm } from '../port.ts';
import { ownBytes } from './own-bytes.ts';

export interface RsaKeyPair {
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array;
  /** PKCS #8, DER; the caller disposes it. */
  readonly privateKey: SecretBytes;
}

/** The hash of OAEP and of its MGF1 (RFC 7518, 4.3): OpenSSL's name and Web Crypto's. */
const hashes = {
  'RSA-OAEP': { openssl: 'sha1', webCrypto: 'SHA-1' },
  'RSA-OAEP-256': { openssl: 'sha256', webCrypto: 'SHA-256' },
} as const satisfies Record<WrapAlgorithm, { openssl: string; webCrypto: string }>;

const generate = promisify(generateKeyPair);

/** A new RSA key with exponent 65537; searched for off the event loop. */
export async function generateRsa(bits: number): Promise<RsaKeyPair> {
  const { publicKey, privateKey } = await generate('rsa', {
    modulusLength: bits,
    publicExponent: 65537,
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'der' },
  });
  return { publicKey, privateKey: SecretBytes.take(privateKey) };
}

/** @throws KannukiError KNK-KVT-0018 where the value is too long for key and algorithm */
export function wrapRsa(key: string, publicKey: Uint8Array, algorithm: WrapAlgorithm, value: SecretBytes): Uint8Array {
  const keyObject = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' });
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  try {
    return publicEncrypt({ key: keyObject, padding, oaepHash: hashes[algorithm].openssl }, value.bytes);
  } catch {
    throw new KannukiError('KNK-KVT-0018', { details: { key, call: 'wrapKey', algorithm } });
  }
}

/**
 * Runs on the thread pool, so that other calls are answered meanwhile. One error for whatever is wrong with the
 * ciphertext: telling padding from length would be an oracle (Manger 2001).
 * @throws KannukiError KNK-KVT-0018
 */
export async function unwrapRsa(
  key: string,
  privateKey: SecretBytes,
  algorithm: WrapAlgorithm,
  wrapped: Uint8Array,
): Promise<SecretBytes> {
  const parameters = { name: 'RSA-OAEP', hash: hashes[algorithm].webCrypto };
  const cryptoKey = await subtle.importKey('pkcs8', ownBytes(privateKey.bytes), parameters, false, ['decrypt']);
  try {
    return SecretBytes.take(new Uint8Array(await subtle.decrypt(parameters, cryptoKey, ownBytes(wrapped))));
  } catch {
    throw new KannukiError('KNK-KVT-0018', { details: { key, call: 'unwrapKey', algorithm } });
  }
}
