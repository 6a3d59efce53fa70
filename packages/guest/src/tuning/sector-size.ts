import type { BlockDevice } from '../facts/model.ts';

/**
 * 4096 where everything that lies on the device is made of whole pieces of it: one IV and one call of the cipher then serve
 * eight times as much, and the journal mode does the fewest writes. A file system with smaller sectors could not be mounted
 * over a device with larger ones, so there it stays 512.
 */
export function sectorSizeFor({ fileSystem, sizeBytes }: Pick<BlockDevice, 'fileSystem' | 'sizeBytes'>): 512 | 4096 {
  const fits = fileSystem !== null && fileSystem.sectorBytes % 4096 === 0 && sizeBytes % 4096 === 0;
  return fits ? 4096 : 512;
}
