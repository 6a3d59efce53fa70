/** Numbers that fix where things lie in a FAT12 or FAT16 volume. All but `volumeBytes` in sectors, clusters or entries. */
export interface Geometry {
  readonly bits: 12 | 16;
  readonly totalSectors: number;
  readonly sectorsPerCluster: number;
  readonly reservedSectors: number;
  readonly sectorsPerFat: number;
  readonly rootEntries: number;
  readonly clusters: number;
}

export const sectorBytes = 512;
export const fatCopies = 2;
export const entryBytes = 32;

const rootEntries = 512;
const reservedSectors = 1;
/** The kind of FAT follows from the number of clusters alone; drivers differ near the limits, so we keep away from them. */
const fat12Limit = 4085;
const fat16Limit = 65525;
const margin = 16;

/**
 * The smallest clusters that fit a volume of this size.
 * @returns undefined when FAT16 cannot be that large, or when nothing is left for data
 */
export function geometryOf(volumeBytes: number): Geometry | undefined {
  const totalSectors = Math.floor(volumeBytes / sectorBytes);
  for (let sectorsPerCluster = 1; sectorsPerCluster <= 64; sectorsPerCluster *= 2) {
    for (const bits of [12, 16] as const) {
      const found = fitted(totalSectors, sectorsPerCluster, bits);
      const least = bits === 12 ? 1 : fat12Limit + margin;
      const most = (bits === 12 ? fat12Limit : fat16Limit) - margin;
      if (found.clusters >= least && found.clusters < most) return found;
    }
  }
  return undefined;
}

/** The table grows with the clusters, which shrink as it grows: from the largest possible table to the one needed. */
function fitted(totalSectors: number, sectorsPerCluster: number, bits: 12 | 16): Geometry {
  const rootSectors = (rootEntries * entryBytes) / sectorBytes;
  const usable = totalSectors - reservedSectors - rootSectors;
  const fatSectors = (clusters: number): number => Math.ceil(((clusters + 2) * bits) / 8 / sectorBytes);
  const sectorsPerFat = fatSectors(Math.floor(usable / sectorsPerCluster));
  const clusters = Math.floor((usable - fatCopies * sectorsPerFat) / sectorsPerCluster);
  return { bits, totalSectors, sectorsPerCluster, reservedSectors, sectorsPerFat, rootEntries, clusters };
}

export function rootOffset(geometry: Geometry): number {
  return (geometry.reservedSectors + fatCopies * geometry.sectorsPerFat) * sectorBytes;
}

export function clusterBytes(geometry: Geometry): number {
  return geometry.sectorsPerCluster * sectorBytes;
}

/** @param cluster counted from 2, as FAT does */
export function clusterOffset(geometry: Geometry, cluster: number): number {
  return rootOffset(geometry) + geometry.rootEntries * entryBytes + (cluster - 2) * clusterBytes(geometry);
}
