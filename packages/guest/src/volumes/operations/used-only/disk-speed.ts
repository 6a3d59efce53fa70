import { readFile } from 'node:fs/promises';
import { KannukiError, type Run } from '@kannuki/core';
import type { DiskSpeed } from './estimate.ts';

const pieceMiB = 4;
const pieces = 8;
/** A disk that does not give 32 MiB in this time is as slow as the assumed one, or slower. */
const maximumSeconds = 3;
/** Where nothing could be measured: a slow network disk. */
const assumed = 20 * 1024 * 1024;

/** A short look at the disk: reads 32 MiB past the page cache, and writes nothing. */
export async function measureDisk(run: Run, device: string, kernelName: string): Promise<DiskSpeed> {
  return { read: await readSpeed(run, device), zeroesByCommand: await zeroesByCommand(kernelName) };
}

/** By dd(1), because direct reads want an aligned address, which JavaScript cannot choose. */
async function readSpeed(run: Run, device: string): Promise<number> {
  const start = performance.now();
  try {
    const args = [`if=${device}`, 'of=/dev/null', `bs=${pieceMiB}M`, `count=${pieces}`, 'iflag=direct', 'status=none'];
    await run('dd', args, { timeoutSeconds: maximumSeconds });
  } catch (error) {
    if (error instanceof KannukiError) return assumed;
    throw error;
  }
  return (pieces * pieceMiB * 1024 * 1024) / ((performance.now() - start) / 1000);
}

/** queue/write_zeroes_max_bytes of sysfs (Linux, Documentation/ABI/stable/sysfs-block): 0 = the disk has no such command. */
async function zeroesByCommand(kernelName: string): Promise<boolean> {
  // A partition has no queue of its own; the folder above it is its disk's.
  for (const folder of [`/sys/class/block/${kernelName}`, `/sys/class/block/${kernelName}/..`]) {
    try {
      return Number((await readFile(`${folder}/queue/write_zeroes_max_bytes`, 'utf8')).trim()) > 0;
    } catch (error) {
      if (!['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  }
  return false;
}
