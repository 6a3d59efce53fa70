import { open } from 'node:fs/promises';
import { KannukiError, type Run } from '@kannuki/core';
import { probe } from '../facts/signature.ts';

const edgeBytes = 1024 * 1024;
const sampleBytes = 64 * 1024;
const samples = 256;

/** What shows that a device is not blank; `nothing` when it is. */
export type Traces = 'nothing' | 'signature' | 'partition-table' | 'data';

/**
 * Looks for anything that could be somebody's. Blank is a device without any signature of a file system, container or partition
 * table (blkid(8) and wipefs(8), which look for different things), whose first and last MiB are zeros, and so are
 * 256 pieces of 64 KiB spread evenly over the rest; a device of 18 MiB or less is read whole. The pieces are what finds a
 * volume without a signature of its own: behind a header kept elsewhere every block is random.
 */
export async function tracesOn(run: Run, device: string, sizeBytes: number): Promise<Traces> {
  const { signature } = await probe(run, device);
  if (signature !== null) return 'signature';
  if ((await wipefsSignatures(run, device)) > 0) return 'partition-table';
  return (await isZero(device, placesToRead(sizeBytes))) ? 'nothing' : 'data';
}

async function wipefsSignatures(run: Run, device: string): Promise<number> {
  const { stdout } = await run('wipefs', ['--no-act', '--json', '--', device], { timeoutSeconds: 60 });
  // wipefs prints nothing at all, and no JSON, where it finds nothing.
  if (stdout.trim() === '') return 0;
  try {
    return (JSON.parse(stdout) as { readonly signatures: readonly unknown[] }).signatures.length;
  } catch (cause) {
    throw new KannukiError('KNK-VOL-0101', { details: { program: 'wipefs', detail: 'no JSON' }, cause });
  }
}

interface Place {
  readonly offset: number;
  readonly length: number;
}

/** The pieces of a device that decide whether it is blank, bytes. */
export function placesToRead(sizeBytes: number): readonly Place[] {
  if (sizeBytes <= 2 * edgeBytes + samples * sampleBytes) return [{ offset: 0, length: sizeBytes }];
  const between = sizeBytes - 2 * edgeBytes;
  const middle = Array.from({ length: samples }, (_, index) => ({
    // Whole blocks of 4 KiB; the last piece ends where the last MiB begins.
    offset: edgeBytes + Math.floor(((between - sampleBytes) * index) / (samples - 1) / 4096) * 4096,
    length: sampleBytes,
  }));
  return [{ offset: 0, length: edgeBytes }, ...middle, { offset: sizeBytes - edgeBytes, length: edgeBytes }];
}

async function isZero(device: string, places: readonly Place[]): Promise<boolean> {
  const file = await open(device, 'r');
  const buffer = Buffer.alloc(edgeBytes);
  const zeros = Buffer.alloc(edgeBytes);
  try {
    for (const { offset, length } of places) {
      for (let done = 0; done < length; ) {
        const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, length - done), offset + done);
        // A device that ends early is not the one that was asked about.
        if (bytesRead === 0) return false;
        if (!buffer.subarray(0, bytesRead).equals(zeros.subarray(0, bytesRead))) return false;
        done += bytesRead;
      }
    }
    return true;
  } finally {
    await file.close();
  }
}
