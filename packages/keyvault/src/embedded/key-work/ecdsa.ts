import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import { SecretBytes } from '@kannuki/core';
import { type Curve, curves, fromInteger, toInteger } from './curves.ts';
import { derElement, derSequence, derTag } from './der.ts';
import { Modulus, publicInverse } from './modular.ts';
import { publicJwk } from './public-key.ts';

const generate = promisify(generateKeyPair);

/**
 * Signs a digest (FIPS 186-5, 6.4.1). Node's own ECDSA takes messages only and would hash the digest again. What touches
 * a secret for long is OpenSSL's: the secret number k of the signature is a fresh key pair, made on the thread pool, of
 * which the public point gives r. What is left is s = (z + r·d)/k, done with a random factor b on both sides of the
 * fraction, in arithmetic whose time depends on nothing; the division sees only the blinded k·b.
 * @param privateKey PKCS #8 as OpenSSL writes it
 * @returns r then s, each as long as a coordinate (IEEE P1363; RFC 7518, 3.4)
 */
export async function signDigest(curve: Curve, privateKey: SecretBytes, digest: Uint8Array): Promise<Uint8Array> {
  const modulus = new Modulus(curve.n, curve.bytes);
  const digestNumber = fromInteger(toInteger(digest) % curve.n, curve.bytes);
  for (;;) {
    using once = await ephemeral(curve);
    using blinding = (await ephemeral(curve)).scalar;
    const r = once.x % curve.n;
    const [b, k] = [modulus.enter(blinding.bytes), modulus.enter(once.scalar.bytes)];
    const d = modulus.enter(privateScalar(privateKey.bytes));
    const bd = modulus.multiply(b, d);
    const bdr = modulus.multiply(bd, modulus.enter(fromInteger(r, curve.bytes)));
    const bz = modulus.multiply(b, modulus.enter(digestNumber));
    const kb = modulus.multiply(k, b);
    const [blindedSum, blindedK] = [modulus.add(bz, bdr), kb].map((number) => modulus.leave(number));
    for (const number of [b, k, d, bd, bdr, bz, kb]) number.fill(0);
    if (blindedSum === undefined || blindedK === undefined) throw new RangeError('two numbers went in');
    const s = (toInteger(blindedSum) * publicInverse(blindedK, curve.n)) % curve.n;
    if (r !== 0n && s !== 0n) return Buffer.concat([fromInteger(r, curve.bytes), fromInteger(s, curve.bytes)]);
  }
}

interface Ephemeral extends Disposable {
  readonly scalar: SecretBytes;
  /** Of the public point. */
  readonly x: bigint;
}

async function ephemeral(curve: Curve): Promise<Ephemeral> {
  const pair = await generateEc(curve);
  using privateKey = pair.privateKey;
  const scalar = SecretBytes.copy(privateScalar(privateKey.bytes));
  const jwk = publicJwk(pair.publicKey);
  const x = jwk.kty === 'EC' ? toInteger(Buffer.from(jwk.x, 'base64url')) : 0n;
  return { scalar, x, [Symbol.dispose]: () => scalar[Symbol.dispose]() };
}

export async function generateEc(curve: Curve): Promise<{ publicKey: Uint8Array; privateKey: SecretBytes }> {
  const { publicKey, privateKey } = await generate('ec', {
    namedCurve: curve.openssl,
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'der' },
  });
  return { publicKey, privateKey: SecretBytes.take(privateKey) };
}

/** The private number in PKCS #8 around an ECPrivateKey (RFC 5915): a view, not a copy. */
function privateScalar(pkcs8: Uint8Array): Uint8Array {
  const [, , inner = pkcs8] = derSequence(pkcs8, [derTag.integer, derTag.sequence, derTag.octetString]);
  const { content } = derElement(inner, derTag.sequence);
  return derElement(derElement(content, derTag.integer).rest, derTag.octetString).content;
}

/** What the check of a signature needs (FIPS 186-5, 6.4.2), all of it public; undefined where the signature cannot be one. */
export interface EcCheck {
  readonly p: bigint;
  readonly a: bigint;
  readonly n: bigint;
  readonly generator: readonly [bigint, bigint];
  readonly publicPoint: readonly [bigint, bigint];
  readonly r: bigint;
  /** z/s and r/s modulo n. */
  readonly u1: bigint;
  readonly u2: bigint;
}

export function ecCheck(publicKey: Uint8Array, digest: Uint8Array, signature: Uint8Array): EcCheck | undefined {
  const jwk = publicJwk(publicKey);
  if (jwk.kty !== 'EC') return undefined;
  const { p, a, n, x, y, bytes } = curves[jwk.crv];
  if (signature.length !== 2 * bytes) return undefined;
  const [r, s] = [toInteger(signature.subarray(0, bytes)), toInteger(signature.subarray(bytes))];
  if (r === 0n || s === 0n || r >= n || s >= n) return undefined;
  const inverse = publicInverse(signature.subarray(bytes), n);
  const coordinate = (text: string): bigint => toInteger(Buffer.from(text, 'base64url'));
  return {
    p,
    a,
    n,
    generator: [x, y],
    publicPoint: [coordinate(jwk.x), coordinate(jwk.y)],
    r,
    u1: (toInteger(digest) * inverse) % n,
    u2: (r * inverse) % n,
  };
}
