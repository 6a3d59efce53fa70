import { createPublicKey, type KeyObject } from 'node:crypto';
import type { CurveName, PublicJwk } from '../service/model.ts';

/** What we need to know of a curve: its OBJECT IDENTIFIER (DER), the bytes of a coordinate, Node's name. */
export const curves: Readonly<
  Record<
    CurveName,
    {
      readonly parameters: Buffer;
      readonly bytes: number;
      readonly jwk: string;
      readonly signature: 'ES256' | 'ES384' | 'ES512' | 'ES256K';
      readonly digest: string;
    }
  >
> = {
  'P-256': {
    parameters: Buffer.from('06082a8648ce3d030107', 'hex'),
    bytes: 32,
    jwk: 'P-256',
    signature: 'ES256',
    digest: 'sha256',
  },
  'P-384': {
    parameters: Buffer.from('06052b81040022', 'hex'),
    bytes: 48,
    jwk: 'P-384',
    signature: 'ES384',
    digest: 'sha384',
  },
  'P-521': {
    parameters: Buffer.from('06052b81040023', 'hex'),
    bytes: 66,
    jwk: 'P-521',
    signature: 'ES512',
    digest: 'sha512',
  },
  'P-256K': {
    parameters: Buffer.from('06052b8104000a', 'hex'),
    bytes: 32,
    jwk: 'secp256k1',
    signature: 'ES256K',
    digest: 'sha256',
  },
};

export function rsaJwk(modulus: Uint8Array, exponent: Uint8Array): PublicJwk {
  return { kty: 'RSA', n: base64url(withoutLeadingZeros(modulus)), e: base64url(withoutLeadingZeros(exponent)) };
}

/**
 * @param point CKA_EC_POINT: an uncompressed point, in a DER OCTET STRING (PKCS #11 2.40) or, from some tokens, bare
 * @returns undefined for anything else
 */
export function ecJwk(crv: CurveName, point: Uint8Array): PublicJwk | undefined {
  const { bytes } = curves[crv];
  const bare = 1 + 2 * bytes;
  const start = point.length - bare;
  const der = bare < 128 ? [0x04, bare] : [0x04, 0x81, bare];
  const isWrapped = start === der.length && der.every((byte, at) => point[at] === byte);
  if ((start !== 0 && !isWrapped) || point[start] !== 0x04) return undefined;
  return {
    kty: 'EC',
    crv,
    x: base64url(point.subarray(start + 1, start + 1 + bytes)),
    y: base64url(point.subarray(start + 1 + bytes)),
  };
}

/** For node:crypto, which calls the curve of Bitcoin by another name. */
export function keyObjectOf(jwk: PublicJwk): KeyObject {
  const key = jwk.kty === 'RSA' ? { ...jwk } : { ...jwk, crv: curves[jwk.crv].jwk };
  return createPublicKey({ key, format: 'jwk' });
}

function withoutLeadingZeros(number: Uint8Array): Uint8Array {
  const first = number.findIndex((byte) => byte !== 0);
  return number.subarray(Math.max(first, 0));
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}
