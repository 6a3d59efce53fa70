import { statfsSync } from 'node:fs';

/** What is left to whoever else uses the disk. */
const reserveBytes = 3 * 1024 ** 3;

/** For images that are larger than the machine's memory, and are filled to the end by the rival. */
export function largeImages(imageBytes: number): string {
  const folder = process.env.KANNUKI_LAB_SCRATCH ?? '/var/tmp';
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize >= imageBytes + reserveBytes) return folder;
  const gib = (bytes: number): string => `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
  throw new Error(
    `${folder} has room for ${gib(bavail * bsize)}, ${gib(imageBytes + reserveBytes)} are needed; name another folder with KANNUKI_LAB_SCRATCH=FOLDER`,
  );
}
