import { createPublicKey } from 'node:crypto';
import type { PublicJwk } from '../../service/model.ts';
import { type Curve, curves } from './curves.ts';
import { derElement, derSequence, derTag, unsigned } from './der.ts';

const curveByOid: ReadonlyMap<string, Curve> = new Map(Object.values(curves).map((curve) => [curve.oid, curve]));

/**
 * Takes a SubjectPublicKeyInfo apart (RFC 5280, 4.1.2.7; RFC 8017, A.1.1; RFC 5480, 2): by hand, because every answer
 * about a key has it, and `createPublicKey().export()` costs a tenth of an RSA operation.
 */
export function publicJwk(spki: Uint8Array): PublicJwk {
  const { content } = derElement(spki, derTag.sequence);
  const algorithm = derElement(content, derTag.sequence);
  const key = derElement(algorithm.rest, derTag.bitString).content.subarray(1);
  const { rest: parameters } = derElement(algorithm.content, derTag.objectId);
  const curve =
    parameters[0] === derTag.objectId
      ? curveByOid.get(Buffer.from(derElement(parameters, derTag.objectId).content).toString('hex'))
      : undefined;
  if (curve === undefined) {
    const [n = key, e = key] = derSequence(key, [derTag.integer, derTag.integer]);
    return { kty: 'RSA', n: base64url(unsigned(n)), e: base64url(unsigned(e)) };
  }
  const { name: crv, bytes } = curve;
  return {
    kty: 'EC',
    crv,
    x: base64url(key.subarray(1, 1 + bytes)),
    y: base64url(key.subarray(1 + bytes)),
  };
}

/** The other way, for keys that a module made. */
export function spkiOf(jwk: PublicJwk): Uint8Array {
  const key = jwk.kty === 'RSA' ? { ...jwk } : { ...jwk, crv: jwk.crv === 'P-256K' ? 'secp256k1' : jwk.crv };
  return createPublicKey({ key, format: 'jwk' }).export({ type: 'spki', format: 'der' });
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64url');
}
