import type { SecretBytes } from '@kannuki/core';
import { decryptSectors, type SectorPlace } from '@kannuki/formats';

/** Bytes that are judged together. A boundary of a conversion is always a multiple of it. */
export const unitBytes = 4096;

/** `undecided`: it looks like noise with the key and without it, as compressed or encrypted files do. */
export type Evidence = 'plain' | 'cipher' | 'undecided';

/**
 * Far beyond chance. Of 4096 random bytes the chi-squared statistic over byte values has the mean 255; to reach 800 has a
 * probability below 2^-150 (Chernoff's bound), so no noise on any disk ever does.
 */
const structureAt = 800;

/**
 * Whether a unit of the disk is ciphertext of the key or plaintext, by which of the two readings has structure: ciphertext,
 * and plaintext that was "decrypted", are both noise to the last bit.
 * @param unit 4096 bytes as they lie on the disk
 */
export function evidenceOf(unit: Uint8Array, key: SecretBytes, place: SectorPlace): Evidence {
  if (hasStructure(unit)) return 'plain';
  using decrypted = decryptSectors(unit, key, place);
  return hasStructure(decrypted.bytes) ? 'cipher' : 'undecided';
}

const counts = new Uint32Array(256);

function hasStructure(bytes: Uint8Array): boolean {
  counts.fill(0);
  for (const byte of bytes) counts[byte] = (counts[byte] ?? 0) + 1;
  const expected = bytes.length / 256;
  let statistic = 0;
  for (const count of counts) statistic += (count - expected) ** 2 / expected;
  counts.fill(0);
  return statistic > structureAt;
}
