import { createHash, randomBytes } from 'node:crypto';
import type { SignatureAlgorithm } from '../../service/key-module.ts';
import type { CurveName } from '../../service/model.ts';

type HashName = 'sha256' | 'sha384' | 'sha512';

/** How an algorithm turns a digest into a signature (RFC 7518, 3.3 to 3.5; RFC 8812, 3.2). */
export type SignatureScheme =
  | { readonly kind: 'PKCS1'; readonly hash: HashName | null }
  | { readonly kind: 'PSS'; readonly hash: HashName }
  | { readonly kind: 'EC'; readonly curve: CurveName; readonly hash: HashName };

export const signatureSchemes: Readonly<Record<SignatureAlgorithm, SignatureScheme>> = {
  RS256: { kind: 'PKCS1', hash: 'sha256' },
  RS384: { kind: 'PKCS1', hash: 'sha384' },
  RS512: { kind: 'PKCS1', hash: 'sha512' },
  RSNULL: { kind: 'PKCS1', hash: null },
  PS256: { kind: 'PSS', hash: 'sha256' },
  PS384: { kind: 'PSS', hash: 'sha384' },
  PS512: { kind: 'PSS', hash: 'sha512' },
  ES256: { kind: 'EC', curve: 'P-256', hash: 'sha256' },
  ES384: { kind: 'EC', curve: 'P-384', hash: 'sha384' },
  ES512: { kind: 'EC', curve: 'P-521', hash: 'sha512' },
  ES256K: { kind: 'EC', curve: 'P-256K', hash: 'sha256' },
};

export const digestBytes: Readonly<Record<HashName, number>> = { sha256: 32, sha384: 48, sha512: 64 };

/** DigestInfo up to the digest (RFC 8017, 9.2, note 1). */
const digestInfo: Readonly<Record<HashName, Buffer>> = {
  sha256: Buffer.from('3031300d060960864801650304020105000420', 'hex'),
  sha384: Buffer.from('3041300d060960864801650304020205000430', 'hex'),
  sha512: Buffer.from('3051300d060960864801650304020305000440', 'hex'),
};

/** What PKCS #1 v1.5 signs for a digest; RSNULL signs the bytes as they are. */
export function withDigestInfo(hash: HashName | null, digest: Uint8Array): Uint8Array {
  return hash === null ? digest : Buffer.concat([digestInfo[hash], digest]);
}

/**
 * EMSA-PSS (RFC 8017, 9.1.1) of a digest, with a salt as long as the digest (RFC 7518, 3.5).
 * @param modulusBytes of keys whose length is a multiple of 8
 */
export function encodePss(hash: HashName, digest: Uint8Array, modulusBytes: number): Uint8Array {
  const salt = randomBytes(digest.length);
  const check = pssCheck(hash, digest, salt);
  const block = Buffer.alloc(modulusBytes - check.length - 1);
  block[block.length - salt.length - 1] = 1;
  block.set(salt, block.length - salt.length);
  masked(hash, check, block);
  return Buffer.concat([block, check, Buffer.of(0xbc)]);
}

/** EMSA-PSS-VERIFY (RFC 8017, 9.1.2). Everything in it is public. */
export function isPssOf(hash: HashName, digest: Uint8Array, encoded: Uint8Array): boolean {
  const saltStart = encoded.length - 2 * digest.length - 1;
  if (saltStart < 1 || encoded.at(-1) !== 0xbc || (encoded[0] ?? 0) > 0x7f) return false;
  const checkStart = encoded.length - digest.length - 1;
  const check = encoded.subarray(checkStart, -1);
  const block = Buffer.from(encoded.subarray(0, checkStart));
  masked(hash, check, block);
  if (block[saltStart - 1] !== 1 || block.subarray(0, saltStart - 1).some((byte) => byte !== 0)) return false;
  return pssCheck(hash, digest, block.subarray(saltStart)).equals(check);
}

function pssCheck(hash: HashName, digest: Uint8Array, salt: Uint8Array): Buffer {
  return createHash(hash).update(Buffer.alloc(8)).update(digest).update(salt).digest();
}

/** Applies MGF1 (RFC 8017, B.2.1) in place and clears the topmost bit: the encoded message has one bit less than the modulus. */
function masked(hash: HashName, seed: Uint8Array, block: Buffer): void {
  const counter = Buffer.alloc(4);
  for (let start = 0, round = 0; start < block.length; round += 1) {
    counter.writeUInt32BE(round);
    const mask = createHash(hash).update(seed).update(counter).digest();
    for (let at = 0; at < mask.length && start + at < block.length; at += 1) {
      block[start + at] = (block[start + at] ?? 0) ^ (mask[at] ?? 0);
    }
    start += mask.length;
  }
  block[0] = (block[0] ?? 0) & 0x7f;
}
