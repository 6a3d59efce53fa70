import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Run, SecretBytes } from '@kannuki/core';
import { decryptSectors, type Luks2Metadata, liveSegments, type Segment } from '@kannuki/formats';
import type { Use } from '../volumes/uses/use.ts';

/** Every file system that we know has its signature in it (btrfs: at 64 KiB). */
const frontBytes = 1024 * 1024;

interface Probe {
  readonly probe: Use['probe'];
  readonly run: Run;
  /** A folder in memory: the first bytes of the volume lie in it as plaintext for the time of the probe. */
  readonly runtime: string;
  readonly device: string;
  readonly sizeBytes: number;
}

/**
 * What a header and a volume key show on a device, without a mapping: the beginning is decrypted here and
 * looked at as a file. Nothing is written to the device, and a conversion that is pending is not touched.
 */
export async function probeThroughHeader(
  metadata: Luks2Metadata,
  volumeKey: SecretBytes,
  parts: Probe,
): Promise<string | undefined> {
  const { device, sizeBytes } = parts;
  const live = liveSegments(metadata).map(([, segment]) => segment);
  const isHot = live[0]?.flags.includes('in-reencryption') ?? false;
  // A beginning that was under work when the writer stopped may be either.
  const found = isHot ? await look(live.slice(1)) : undefined;
  return found ?? (await look(live));

  async function look(encrypted: readonly Segment[]): Promise<string | undefined> {
    using front = await readFront(device, Math.min(frontBytes, sizeBytes));
    for (const segment of encrypted) decryptPart(front.bytes, segment, volumeKey);
    return await probeBytes(front, parts);
  }
}

async function probeBytes(front: SecretBytes, { run, runtime, sizeBytes, probe }: Probe): Promise<string | undefined> {
  await mkdir(runtime, { recursive: true, mode: 0o700 });
  const path = join(runtime, `front-${randomUUID()}`);
  try {
    const file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
    try {
      await file.writeFile(front.bytes);
      // Of the device's size, sparse: some signatures are believed only where the file system fits.
      await file.truncate(sizeBytes);
    } finally {
      await file.close();
    }
    return await probe(path, run);
  } finally {
    await rm(path, { force: true });
  }
}

/** Puts plaintext in the place of what a segment has encrypted of the front. */
function decryptPart(front: Uint8Array, { offset, size, crypt }: Segment, key: SecretBytes): void {
  if (crypt === null || crypt.encryption !== 'aes-xts-plain64') return;
  const start = Number(offset);
  const wholeSectors = front.length - (front.length % crypt.sectorSize);
  const end = size === 'dynamic' ? wholeSectors : Math.min(wholeSectors, start + Number(size));
  if (start >= end) return;
  const firstSector = Number(crypt.ivTweak);
  using plain = decryptSectors(front.subarray(start, end), key, { sectorSize: crypt.sectorSize, firstSector });
  front.set(plain.bytes, start);
}

async function readFront(device: string, length: number): Promise<SecretBytes> {
  const file = await open(device, 'r');
  try {
    const buffer = Buffer.alloc(length);
    let done = 0;
    while (done < length) {
      const { bytesRead } = await file.read(buffer, done, length - done, done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return SecretBytes.take(buffer);
  } finally {
    await file.close();
  }
}
