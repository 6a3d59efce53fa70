import { pbkdf2Sync, timingSafeEqual } from 'node:crypto';
import { KannukiError, SecretBytes } from '@kannuki/core';
import { mergeStripes } from './anti-forensic.ts';
import { readLuks2Header } from './header.ts';
import type { Digest, Luks2Metadata, PassphraseKeyslot, Pbkdf2 } from './model.ts';
import { decryptSectors } from './sectors.ts';

const sectorSize = 512;
const maxKeySize = 64;
const maxStripes = 4000;
const maxIterations = 2_000_000;
const hashes: ReadonlySet<string> = new Set(['sha1', 'sha224', 'sha256', 'sha384', 'sha512']);

/**
 * Opens a key slot with a passphrase, without cryptsetup: for the header record, and to prove that what is about to be
 * escrowed opens the volume. Only slots as Kannuki makes them for machines: pbkdf2 and aes-xts-plain64.
 * Bounded: key 64 bytes, 4000 stripes, 2 million iterations; beyond it the slot counts as not supported.
 * @param bytes the header file or the start of the device, key slot areas included
 * @param options.keyslot try only this slot
 * @returns the volume key; the caller disposes it
 * @throws KannukiError KNK-FMT-0104 when no slot opens, KNK-FMT-0105 when no slot is of a kind that can be tried here,
 *   KNK-FMT-0101 and KNK-FMT-0102 as readLuks2Header
 */
export function openKeyslot(
  bytes: Uint8Array,
  passphrase: SecretBytes,
  options: { readonly keyslot?: number } = {},
): SecretBytes {
  const { metadata } = readLuks2Header(bytes).newest;
  let unsupported: KannukiError | undefined;
  let tried = 0;
  for (const [id, keyslot] of metadata.keyslots) {
    if (keyslot.type !== 'luks2' || (options.keyslot !== undefined && options.keyslot !== id)) continue;
    const problem = problemOf(keyslot, bytes.length);
    if (problem !== undefined) {
      unsupported ??= new KannukiError('KNK-FMT-0105', { details: { detail: `key slot ${id}: ${problem}` } });
      continue;
    }
    tried += 1;
    const volumeKey = openOne(bytes, keyslot, passphrase);
    if (isVolumeKey(metadata, id, volumeKey)) return volumeKey;
    volumeKey[Symbol.dispose]();
  }
  throw tried === 0 && unsupported !== undefined ? unsupported : new KannukiError('KNK-FMT-0104');
}

/** Why a slot is of a kind that cannot be opened or made here; undefined when it can. */
export function problemOf(keyslot: PassphraseKeyslot, fileSize: number): string | undefined {
  const { kdf, area, antiForensic, keySize } = keyslot;
  if (kdf.type !== 'pbkdf2') return `key derivation ${kdf.type}`;
  if (kdf.iterations > maxIterations) return `${kdf.iterations} iterations`;
  if (!hashes.has(kdf.hash)) return `hash ${kdf.hash}`;
  if (!hashes.has(antiForensic.hash)) return `hash ${antiForensic.hash}`;
  if (antiForensic.stripes > maxStripes) return `${antiForensic.stripes} stripes`;
  if (area.encryption !== 'aes-xts-plain64') return `encryption ${area.encryption}`;
  if (area.keySize !== 32 && area.keySize !== 64) return `area key of ${area.keySize} bytes`;
  if (keySize > maxKeySize) return `volume key of ${keySize} bytes`;
  const needed = BigInt(storedSize(keyslot));
  if (needed > area.size) return 'its area is too small';
  if (area.offset + needed > BigInt(fileSize)) return 'its area is behind the end of the file';
  return undefined;
}

/** Bytes of the split key, in whole sectors. */
export function storedSize({ keySize, antiForensic }: PassphraseKeyslot): number {
  return Math.ceil((keySize * antiForensic.stripes) / sectorSize) * sectorSize;
}

function openOne(bytes: Uint8Array, keyslot: PassphraseKeyslot, passphrase: SecretBytes): SecretBytes {
  const { kdf, area, antiForensic, keySize } = keyslot;
  if (kdf.type !== 'pbkdf2') throw new KannukiError('KNK-FMT-0105', { details: { detail: kdf.type } });
  const offset = Number(area.offset);
  using areaKey = pbkdf2Of(passphrase, kdf, area.keySize);
  using split = decryptSectors(bytes.subarray(offset, offset + storedSize(keyslot)), areaKey, {
    sectorSize,
    firstSector: 0,
  });
  return mergeStripes(split, keySize, antiForensic.stripes, antiForensic.hash);
}

export function pbkdf2Of(secret: SecretBytes, kdf: Pbkdf2, length: number): SecretBytes {
  return SecretBytes.take(pbkdf2Sync(secret.bytes, kdf.salt, kdf.iterations, length, kdf.hash));
}

/** Whether a digest that the slot is bound to knows the key. */
function isVolumeKey(metadata: Luks2Metadata, keyslotId: number, key: SecretBytes): boolean {
  return [...metadata.digests.values()].some((digest) => digest.keyslots.includes(keyslotId) && knowsKey(digest, key));
}

/** Whether a digest is that of a volume key. Digests beyond the bounds of openKeyslot know no key. */
export function knowsKey({ pbkdf2 }: Digest, key: SecretBytes): boolean {
  if (pbkdf2 === null) return false;
  const { hash, iterations, value } = pbkdf2;
  if (!hashes.has(hash) || iterations > maxIterations || value.length > maxKeySize || value.length < 16) return false;
  using computed = pbkdf2Of(key, pbkdf2, value.length);
  return timingSafeEqual(computed.bytes, value);
}
