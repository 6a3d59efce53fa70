import { createCipheriv, pbkdf2Sync, randomBytes } from 'node:crypto';
import { SecretBytes } from '@kannuki/core';
import { splitIntoStripes } from '../anti-forensic.ts';
import { readLuks2Header } from '../header.ts';

const sectorBytes = 512;

/**
 * A whole header file around a recorded header area: the key slot's area is made anew from passphrase and volume key, so that
 * recordings need not hold a quarter of a megabyte of random bytes each.
 */
export function buildHeaderFile(area: Uint8Array, passphrase: Uint8Array, volumeKey: Uint8Array): Uint8Array {
  const { metadata, headerSize } = readLuks2Header(area).newest;
  const file = Buffer.alloc(2 * headerSize + Number(metadata.config.keyslotsSize));
  file.set(area);
  for (const slot of metadata.keyslots.values()) {
    if (slot.type !== 'luks2' || slot.kdf.type !== 'pbkdf2') continue;
    const { kdf, antiForensic, area: place } = slot;
    const key = pbkdf2Sync(passphrase, kdf.salt, kdf.iterations, place.keySize, kdf.hash);
    using secret = SecretBytes.copy(volumeKey);
    const filler = randomBytes((antiForensic.stripes - 1) * volumeKey.length);
    using split = splitIntoStripes(secret, filler, antiForensic.hash);
    file.set(encryptSectors(split.bytes, key, sectorBytes), Number(place.offset));
  }
  return file;
}

/** aes-256-xts with plain64 tweaks, which count in 512 bytes whatever the size of the sector is. */
export function encryptSectors(plain: Uint8Array, key: Uint8Array, sectorSize: number): Uint8Array {
  const result = Buffer.alloc(plain.length);
  const tweak = Buffer.alloc(16);
  for (let at = 0; at < plain.length; at += sectorSize) {
    tweak.writeUInt32LE(at / sectorBytes);
    result.set(createCipheriv('aes-256-xts', key, tweak).update(plain.subarray(at, at + sectorSize)), at);
  }
  return result;
}
