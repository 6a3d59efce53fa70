import {
  createPrivateKey,
  createPublicKey,
  type JsonWebKey,
  type KeyObject,
  sign,
  timingSafeEqual,
  verify,
} from 'node:crypto';
import { SecretBytes } from '@kannuki/core';
import { curves } from './attributes.ts';
import { base64UrlOf, wordOf } from './fields.ts';
import type { BytePlan, JsonObject } from './json-value/parse.ts';
import { badParameter, type Refusal } from './refusal.ts';

/**
 * Private keys from their JWK form (RFC 7518, 6.2.2 and 6.3.2) to PKCS #8 (RFC 5958), in bytes all the way: Node reads
 * JWK itself, but only from strings, and those stay in memory. What Node keeps of the key while it is checked is
 * OpenSSL's own, which wipes it.
 */

/** Members of the JWK that never become strings; public ones too, so that all are decoded alike. */
export const jwkBytes: BytePlan = new Map(
  ['n', 'e', 'd', 'p', 'q', 'dp', 'dq', 'qi', 'x', 'y', 'k', 'key_hsm'].map((member) => [member, 'bytes'] as const),
);

export interface ImportedJwk {
  /** The caller disposes it. */
  readonly privateKey: SecretBytes;
  /** The JWK says itself that it belongs in an HSM. */
  readonly isHardwareKind: boolean;
}

const maximumRsaBytes = 512;
const rsaBits = new Set([2048, 3072, 4096]);
const kinds = ['RSA', 'RSA-HSM', 'EC', 'EC-HSM'] as const;
const curveOids = {
  'P-256': { oid: [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07], bytes: 32 },
  'P-384': { oid: [0x2b, 0x81, 0x04, 0x00, 0x22], bytes: 48 },
  'P-521': { oid: [0x2b, 0x81, 0x04, 0x00, 0x23], bytes: 66 },
  'P-256K': { oid: [0x2b, 0x81, 0x04, 0x00, 0x0a], bytes: 32 },
} as const;
const rsaOid = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const ecOid = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];

/** @throws Refusal 400 where it is no whole, consistent private key of a kind that vaults hold (REQ-327, REQ-329) */
export async function readPrivateJwk(jwk: JsonObject): Promise<ImportedJwk> {
  const kind = wordOf(jwk, 'kty', kinds);
  if (kind === undefined) throw badParameter('kty', 'it is missing');
  const isRsa = kind.startsWith('RSA');
  const privateKey = isRsa ? rsaKey(jwk) : ecKey(jwk);
  try {
    const key = opened(privateKey);
    if (isRsa) await assertRsa(key, jwk);
    else assertPoint(key, jwk);
    return { privateKey, isHardwareKind: kind.endsWith('-HSM') };
  } catch (error) {
    privateKey[Symbol.dispose]();
    throw error;
  }
}

/** @param without a member in whose place a 1 is put */
function rsaKey(jwk: JsonObject, without?: 'd' | 'dp'): SecretBytes {
  using stack = new DisposableStack();
  const numbers = ['n', 'e', 'd', 'p', 'q', 'dp', 'dq', 'qi'].map((member) => {
    const bytes = stack.use(base64UrlOf(jwk, member)).bytes;
    if (bytes.length === 0 || bytes.length > maximumRsaBytes + 1) throw badParameter(member, 'its length is wrong');
    return stack.use(integer(member === without ? Uint8Array.of(1) : bytes));
  });
  using inner = sequence([smallInteger(0), ...numbers]);
  return pkcs8(sequence([oid(rsaOid), plain([0x05, 0x00])]), inner);
}

/** The public point is left out: OpenSSL works it out, and it is compared with what the request says. */
function ecKey(jwk: JsonObject): SecretBytes {
  const curve = curveOids[curveOf(jwk)];
  using given = base64UrlOf(jwk, 'd');
  if (given.length === 0 || given.length > curve.bytes) throw badParameter('d', 'its length is wrong');
  using padded = SecretBytes.take(new Uint8Array(curve.bytes));
  padded.bytes.set(given.bytes, curve.bytes - given.length);
  using scalar = tagged(0x04, [padded]);
  using inner = sequence([smallInteger(1), scalar]);
  return pkcs8(sequence([oid(ecOid), oid(curve.oid)]), inner);
}

function curveOf(jwk: JsonObject): keyof typeof curveOids {
  const curve = wordOf(jwk, 'crv', curves);
  if (curve === undefined) throw badParameter('crv', 'it is missing');
  return curve;
}

function opened(pkcs8: SecretBytes): KeyObject {
  const { buffer, byteOffset, byteLength } = pkcs8.bytes;
  try {
    return createPrivateKey({ key: Buffer.from(buffer, byteOffset, byteLength), format: 'der', type: 'pkcs8' });
  } catch {
    throw notOneKey();
  }
}

/**
 * OpenSSL computes with the primes and, where that came out wrong, silently once more with `d`. So each way is tried
 * with the other one spoilt: every member has to belong to the same key.
 */
async function assertRsa(key: KeyObject, jwk: JsonObject): Promise<void> {
  const details = key.asymmetricKeyDetails;
  if (!rsaBits.has(details?.modulusLength ?? 0)) throw badParameter('n', 'RSA keys have 2048, 3072 or 4096 bits');
  if (details?.publicExponent !== 65_537n) throw badParameter('e', 'the public exponent is 65537');
  for (const spoilt of ['d', 'dp'] as const) {
    using variant = rsaKey(jwk, spoilt);
    if (!(await signsFor(opened(variant), createPublicKey(key)))) throw notOneKey();
  }
}

async function signsFor(privateKey: KeyObject, publicKey: KeyObject): Promise<boolean> {
  const probe = Buffer.from('kannuki: do these parts make one key?');
  return await new Promise((resolve) => {
    sign('sha256', probe, privateKey, (error, signature) => {
      resolve(error === null && verify('sha256', probe, publicKey, signature));
    });
  });
}

function assertPoint(key: KeyObject, jwk: JsonObject): void {
  const point = pointOf(key);
  for (const member of ['x', 'y'] as const) {
    using given = base64UrlOf(jwk, member);
    const own = Buffer.from(point[member] ?? '', 'base64url');
    if (own.length !== given.length || !timingSafeEqual(own, given.bytes)) throw notOneKey();
  }
}

/** @throws Refusal 400 where the scalar is zero, or the order: then there is no such point */
function pointOf(key: KeyObject): JsonWebKey {
  try {
    return createPublicKey(key).export({ format: 'jwk' });
  } catch {
    throw notOneKey();
  }
}

function notOneKey(): Refusal {
  return badParameter('key', 'its members do not make one private key');
}

/** DER (X.690), of lengths up to 65535. Every piece that may be secret is `SecretBytes`, so that all copies are wiped. */
function tagged(tag: number, parts: readonly SecretBytes[]): SecretBytes {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const head =
    length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 255];
  const bytes = new Uint8Array(head.length + length);
  bytes.set(head);
  let at = head.length;
  for (const part of parts) {
    bytes.set(part.bytes, at);
    at += part.length;
  }
  return SecretBytes.take(bytes);
}

function integer(bytes: Uint8Array): SecretBytes {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1;
  const sign = (bytes[start] ?? 0) >= 0x80 ? [0] : [];
  using body = SecretBytes.take(new Uint8Array(sign.length + bytes.length - start));
  body.bytes.set(bytes.subarray(start), sign.length);
  return tagged(0x02, [body]);
}

function pkcs8(algorithm: SecretBytes, inner: SecretBytes): SecretBytes {
  using octets = tagged(0x04, [inner]);
  return sequence([smallInteger(0), algorithm, octets]);
}

function sequence(parts: readonly SecretBytes[]): SecretBytes {
  return tagged(0x30, parts);
}

function smallInteger(value: number): SecretBytes {
  return plain([0x02, 0x01, value]);
}

function oid(encoded: readonly number[]): SecretBytes {
  return plain([0x06, encoded.length, ...encoded]);
}

function plain(bytes: readonly number[]): SecretBytes {
  return SecretBytes.take(Uint8Array.from(bytes));
}
