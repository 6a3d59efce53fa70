import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import { SecretBytes } from '@kannuki/core';

export interface RsaKeyPair {
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array;
  /** PKCS #8, DER; the caller disposes it. */
  readonly privateKey: SecretBytes;
}

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
