import type { CurveName } from '../../service/model.ts';

/** A curve y² = x³ + ax + b over the integers modulo p, with its generator of prime order n (SEC 2, version 2). */
export interface Curve {
  readonly name: CurveName;
  /** OpenSSL's name, and the object identifier as DER content in hexadecimal digits. */
  readonly openssl: string;
  readonly oid: string;
  readonly bits: number;
  /** Length of a coordinate and of a scalar. */
  readonly bytes: number;
  readonly p: bigint;
  readonly a: bigint;
  readonly n: bigint;
  readonly x: bigint;
  readonly y: bigint;
}

const p256 = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
const p384 = (1n << 384n) - (1n << 128n) - (1n << 96n) + (1n << 32n) - 1n;
const p521 = (1n << 521n) - 1n;
const p256k = (1n << 256n) - (1n << 32n) - 977n;

export const curves: Readonly<Record<CurveName, Curve>> = {
  'P-256': {
    name: 'P-256',
    openssl: 'prime256v1',
    oid: '2a8648ce3d030107',
    bits: 256,
    bytes: 32,
    p: p256,
    a: p256 - 3n,
    n: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
    x: 0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
    y: 0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n,
  },
  'P-384': {
    name: 'P-384',
    openssl: 'secp384r1',
    oid: '2b81040022',
    bits: 384,
    bytes: 48,
    p: p384,
    a: p384 - 3n,
    n: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
    x: 0xaa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7n,
    y: 0x3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5fn,
  },
  'P-521': {
    name: 'P-521',
    openssl: 'secp521r1',
    oid: '2b81040023',
    bits: 521,
    bytes: 66,
    p: p521,
    a: p521 - 3n,
    n: 0x01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
    x: 0x00c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3dbaa14b5e77efe75928fe1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5bd66n,
    y: 0x011839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e662c97ee72995ef42640c550b9013fad0761353c7086a272c24088be94769fd16650n,
  },
  'P-256K': {
    name: 'P-256K',
    openssl: 'secp256k1',
    oid: '2b8104000a',
    bits: 256,
    bytes: 32,
    p: p256k,
    a: 0n,
    n: 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n,
    x: 0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798n,
    y: 0x483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8n,
  },
};

export function curveByOpensslName(name: string | undefined): Curve | undefined {
  return Object.values(curves).find(({ openssl }) => openssl === name);
}

export function toInteger(bytes: Uint8Array): bigint {
  return bytes.length === 0
    ? 0n
    : BigInt(`0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')}`);
}

export function fromInteger(value: bigint, length: number): Buffer {
  return Buffer.from(value.toString(16).padStart(length * 2, '0'), 'hex');
}
