import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { SecretBytes } from '@kannuki/core';
import { encodeBase64Url } from './base64url.ts';

/** A private key as the import call takes it (RFC 7518, 6); the private members stay bytes. Dispose it. */
export interface PrivateJwk extends Disposable {
  readonly members: Readonly<Record<string, string | SecretBytes>>;
}

const curves: Readonly<Record<string, { readonly crv: string; readonly bytes: number }>> = {
  prime256v1: { crv: 'P-256', bytes: 32 },
  secp384r1: { crv: 'P-384', bytes: 48 },
  secp521r1: { crv: 'P-521', bytes: 66 },
  secp256k1: { crv: 'P-256K', bytes: 32 },
};

/** @returns undefined for a PEM that holds no RSA or EC key of a curve that vaults know, or a wrong passphrase */
export function privateJwk(pem: SecretBytes, passphrase: SecretBytes | undefined): PrivateJwk | undefined {
  let key: KeyObject;
  try {
    const options = { key: Buffer.from(pem.bytes), format: 'pem' as const };
    key = createPrivateKey(
      passphrase === undefined ? options : { ...options, passphrase: Buffer.from(passphrase.bytes) },
    );
    options.key.fill(0);
  } catch {
    return undefined;
  }
  if (key.asymmetricKeyType === 'rsa') return rsaJwk(key);
  return key.asymmetricKeyType === 'ec' ? ecJwk(key) : undefined;
}

/** RFC 8017, A.1.2: version, n, e, d, p, q, dp, dq, qi. */
function rsaJwk(key: KeyObject): PrivateJwk {
  using der = SecretBytes.take(key.export({ type: 'pkcs1', format: 'der' }));
  const [, , , d, p, q, dp, dq, qi] = elementsOf(der.bytes);
  const { n = '', e = '' } = createPublicKey(key).export({ format: 'jwk' });
  return jwkOf({ kty: 'RSA', n, e }, { d, p, q, dp, dq, qi });
}

/** RFC 5915, 3: version, private key, [parameters], [public key]. */
function ecJwk(key: KeyObject): PrivateJwk | undefined {
  const curve = curves[key.asymmetricKeyDetails?.namedCurve ?? ''];
  if (curve === undefined) return undefined;
  using der = SecretBytes.take(key.export({ type: 'sec1', format: 'der' }));
  const [, d] = elementsOf(der.bytes);
  const { x = '', y = '' } = createPublicKey(key).export({ format: 'jwk' });
  return jwkOf({ kty: 'EC', crv: curve.crv, x, y }, { d }, curve.bytes);
}

function jwkOf(
  open: Readonly<Record<string, string>>,
  hidden: Readonly<Record<string, Uint8Array | undefined>>,
  bytes?: number,
): PrivateJwk {
  const secrets = Object.entries(hidden).map(([name, value = new Uint8Array()]): [string, SecretBytes] => {
    using whole = SecretBytes.take(withoutSign(value, bytes));
    return [name, encodeBase64Url(whole)];
  });
  return {
    members: { ...open, ...Object.fromEntries(secrets) },
    [Symbol.dispose]() {
      for (const [, secret] of secrets) secret[Symbol.dispose]();
    },
  };
}

/** DER puts a zero before integers whose first bit is set; a number of fixed length has zeros in front. */
function withoutSign(value: Uint8Array, bytes: number | undefined): Uint8Array {
  let from = 0;
  while (from < value.length - 1 && value[from] === 0) from += 1;
  const digits = value.subarray(from);
  if (bytes === undefined) return Uint8Array.from(digits);
  const padded = new Uint8Array(bytes);
  padded.set(digits, bytes - digits.length);
  return padded;
}

/** Contents of the elements of one DER sequence, as node wrote it: definite lengths only. */
function elementsOf(der: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = [];
  let at = header(der, 0).start;
  while (at < der.length) {
    const { start, length } = header(der, at);
    found.push(der.subarray(start, start + length));
    at = start + length;
  }
  return found;
}

function header(der: Uint8Array, at: number): { readonly start: number; readonly length: number } {
  const first = der[at + 1] ?? 0;
  if (first < 0x80) return { start: at + 2, length: first };
  const count = first & 0x7f;
  let length = 0;
  for (let index = 0; index < count; index += 1) length = length * 256 + (der[at + 2 + index] ?? 0);
  return { start: at + 2 + count, length };
}
