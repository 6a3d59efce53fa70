import { open } from 'node:fs/promises';
import type { SecretBytes } from '@kannuki/core';
import { type Luks2Metadata, provenBoundary, reencryptKeyslot, segmentWithFlag } from '@kannuki/formats';
import { BoundaryEvidence, type BoundaryVerdict } from './boundary-evidence.ts';
import { evidenceOf, unitBytes } from './unit-evidence.ts';

const chunkBytes = 4 * 1024 * 1024;
/** cryptsetup's own limit of a piece (LUKS2_REENCRYPT_MAX_HOTZONE_LENGTH). */
const largestPieceBytes = 1024 ** 3;
const tweakUnit = 512;

export interface BoundarySearch {
  readonly device: string;
  readonly sizeBytes: number;
  /** Of an encryption that was pending, not newer than the disk: where it stood then, all is ciphertext before. */
  readonly metadata: Luks2Metadata;
  readonly volumeKey: SecretBytes;
  readonly onProgress?: (bytesDone: number) => void;
}

/**
 * Finds out from the disk itself how far an encryption has come whose header is lost. Reads only, from where the older
 * metadata stood up to one piece behind the boundary.
 * @returns the boundary in bytes, or why there is no certain one
 */
export async function searchBoundary(
  search: BoundarySearch,
): Promise<{ readonly kind: 'found'; readonly bytes: number } | Extract<BoundaryVerdict, { kind: 'unclear' }>> {
  const { metadata, sizeBytes } = search;
  const final = segmentWithFlag(metadata, 'backup-final')?.[1].crypt;
  if (final?.encryption !== 'aes-xts-plain64' || final.ivTweak !== 0n || sizeBytes % unitBytes !== 0) {
    return { kind: 'unclear', reason: `cipher ${final?.encryption ?? 'none'}, ${sizeBytes} bytes` };
  }
  const start = Number(provenBoundary(metadata));
  const evidence = new BoundaryEvidence(start / unitBytes, Math.ceil(pieceBytes(metadata) / unitBytes));
  await eachUnit(search, start, (unit, offset) =>
    evidence.add(evidenceOf(unit, search.volumeKey, { sectorSize: final.sectorSize, firstSector: offset / tweakUnit })),
  );
  const verdict = evidence.verdict();
  return verdict.kind === 'found' ? { kind: 'found', bytes: verdict.boundary * unitBytes } : verdict;
}

/** The largest piece that can have been under work: with a journal no more than the journal holds. */
function pieceBytes(metadata: Luks2Metadata): number {
  const slot = reencryptKeyslot(metadata)?.[1];
  return slot?.resilience === 'journal' ? Math.min(Number(slot.area.size), largestPieceBytes) : largestPieceBytes;
}

async function eachUnit(
  { device, sizeBytes, onProgress }: BoundarySearch,
  start: number,
  action: (unit: Uint8Array, offset: number) => boolean,
): Promise<void> {
  const file = await open(device, 'r');
  const buffer = Buffer.alloc(chunkBytes);
  try {
    for (let offset = start; offset < sizeBytes; ) {
      const { bytesRead } = await file.read(buffer, 0, Math.min(chunkBytes, sizeBytes - offset), offset);
      const whole = bytesRead - (bytesRead % unitBytes);
      if (whole === 0) throw new Error(`${device} ends at byte ${offset}`);
      for (let at = 0; at < whole; at += unitBytes) {
        if (!action(buffer.subarray(at, at + unitBytes), offset + at)) return;
      }
      offset += whole;
      onProgress?.(offset);
    }
  } finally {
    buffer.fill(0);
    await file.close();
  }
}
