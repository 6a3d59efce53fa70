import { createHash } from 'node:crypto';
import { SecretBytes } from '@kannuki/core';

/**
 * Puts a key together from its anti-forensic stripes (LUKS1 On-Disk Format Specification 1.2.3, section 2.4).
 * @param split stripes * keySize bytes or more
 */
export function mergeStripes(split: SecretBytes, keySize: number, stripes: number, hash: string): SecretBytes {
  const block = new Uint8Array(keySize);
  for (let stripe = 0; stripe < stripes - 1; stripe++) {
    addStripe(block, split.bytes, stripe);
    diffuse(block, hash);
  }
  addStripe(block, split.bytes, stripes - 1);
  return SecretBytes.take(block);
}

/**
 * The other way round, for tests and for rebuilding a key slot.
 * @param filler random bytes, (stripes - 1) * key length
 */
export function splitIntoStripes(key: SecretBytes, filler: Uint8Array, hash: string): SecretBytes {
  const block = new Uint8Array(key.length);
  const stripes = filler.length / key.length;
  for (let stripe = 0; stripe < stripes; stripe++) {
    addStripe(block, filler, stripe);
    diffuse(block, hash);
  }
  addStripe(block, key.bytes, 0);
  const split = new Uint8Array(filler.length + key.length);
  split.set(filler);
  split.set(block, filler.length);
  block.fill(0);
  return SecretBytes.take(split);
}

function addStripe(block: Uint8Array, stripes: Uint8Array, index: number): void {
  const start = index * block.length;
  for (let at = 0; at < block.length; at++) block[at] = (block[at] ?? 0) ^ (stripes[start + at] ?? 0);
}

/** Replaces each hash-sized piece by the hash of its number and itself; the last one may be shorter. */
function diffuse(block: Uint8Array, hash: string): void {
  const pieceSize = createHash(hash).digest().length;
  const number = Buffer.alloc(4);
  for (let piece = 0; piece * pieceSize < block.length; piece++) {
    const old = block.subarray(piece * pieceSize, (piece + 1) * pieceSize);
    number.writeUInt32BE(piece);
    const digest = createHash(hash).update(number).update(old).digest();
    old.set(digest.subarray(0, old.length));
    digest.fill(0);
  }
}
