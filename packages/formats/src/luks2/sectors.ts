import { createCipheriv, createDecipheriv } from 'node:crypto';
import { SecretBytes } from '@kannuki/core';

/** What the tweak of plain64 counts in, bytes, whatever the size of the sector is. */
const tweakUnit = 512;

export interface SectorPlace {
  /** 512 or 4096 bytes; each is encrypted for itself. */
  readonly sectorSize: number;
  /** Number of the first sector in units of 512 bytes, from the start of the key slot's area or of the data segment. */
  readonly firstSector: number;
}

/**
 * aes-xts-plain64 as dm-crypt does it: the tweak is the sector's number, little-endian.
 * @param cipherText whole sectors
 * @param key 64 bytes: AES-256, 32 bytes: AES-128
 */
export function decryptSectors(cipherText: Uint8Array, key: SecretBytes, place: SectorPlace): SecretBytes {
  const plain = Buffer.alloc(cipherText.length);
  eachSector(cipherText.length, place, (start, end, tweak) => {
    const decipher = createDecipheriv(algorithm(key), key.bytes, tweak);
    const sector = decipher.update(cipherText.subarray(start, end));
    plain.set(sector, start);
    sector.fill(0);
    decipher.final();
  });
  return SecretBytes.take(plain);
}

/** The other way round. */
export function encryptSectors(plain: SecretBytes, key: SecretBytes, place: SectorPlace): Uint8Array {
  const cipherText = Buffer.alloc(plain.length);
  eachSector(plain.length, place, (start, end, tweak) => {
    const cipher = createCipheriv(algorithm(key), key.bytes, tweak);
    cipherText.set(cipher.update(plain.bytes.subarray(start, end)), start);
    cipher.final();
  });
  return cipherText;
}

function algorithm(key: SecretBytes): 'aes-256-xts' | 'aes-128-xts' {
  return key.length === 64 ? 'aes-256-xts' : 'aes-128-xts';
}

function eachSector(
  length: number,
  { sectorSize, firstSector }: SectorPlace,
  action: (start: number, end: number, tweak: Uint8Array) => void,
): void {
  const tweak = Buffer.alloc(16);
  for (let start = 0; start < length; start += sectorSize) {
    tweak.writeBigUInt64LE(BigInt(firstSector + start / tweakUnit));
    action(start, start + sectorSize, tweak);
  }
}
