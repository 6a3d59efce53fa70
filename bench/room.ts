import { readFileSync, statfsSync } from 'node:fs';
import { scratch } from '../packages/testkit/src/lab/scratch.ts';

/** What the machine needs besides the disk images. */
const reserveBytes = 3 * 1024 ** 3;

/** A disk image that fills the machine's memory would take the bench, and whatever else runs, down with it. */
export function requireRoom(imageBytes: number): void {
  const folder = scratch();
  const { bavail, bsize } = statfsSync(folder);
  const onDisk = bavail * bsize;
  const free = folder.startsWith('/dev/shm') ? Math.min(onDisk, availableMemory()) : onDisk;
  if (free >= imageBytes + reserveBytes) return;
  const gib = (bytes: number): string => `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
  throw new Error(
    `${folder} has room for ${gib(free)}, ${gib(imageBytes + reserveBytes)} are needed; name another folder with KANNUKI_LAB_SCRATCH=FOLDER`,
  );
}

function availableMemory(): number {
  return Number(/^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]) * 1024;
}
