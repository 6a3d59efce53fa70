import { KannukiError, SecretBytes } from '@kannuki/core';
import { directoryEntries, labelEntry, paddedLabel } from './directory.ts';
import {
  clusterBytes,
  clusterOffset,
  entryBytes,
  fatCopies,
  type Geometry,
  geometryOf,
  rootOffset,
  sectorBytes,
} from './geometry.ts';

export interface FatFile {
  /** Long names are fine; printable ASCII. */
  readonly name: string;
  readonly content: SecretBytes | Uint8Array;
}

export interface FatVolume {
  /** 1 to 11 of A-Z 0-9 _ - and blank, e.g. `BEK VOLUME`. */
  readonly label: string;
  /** `XXXX-XXXX` in capital hexadecimal digits: what blkid and udev call the UUID. */
  readonly volumeId: string;
  /** All in the root directory. */
  readonly files: readonly FatFile[];
  /** Multiple of 512, 32 KiB to 1 GiB. Default 1 MiB. */
  readonly sizeBytes?: number;
}

const defaultSize = 1024 * 1024;
const largest = 1024 * 1024 * 1024;
const fixedDisk = 0xf8;

/**
 * A FAT12 or FAT16 volume as bytes, made without a file system on a disk: the key volume lives in memory only.
 * The same input gives the same bytes.
 * @returns the image; the caller disposes it
 * @throws KannukiError KNK-FMT-0301 when a name, the label, the id or the size is not possible
 * @see Microsoft FAT specification 1.03 ("fatgen103")
 * @example using image = writeFat({ label: 'BEK VOLUME', volumeId: '1384-3AA3', files: [{ name: 'LinuxPassPhraseFileName', content }] });
 */
export function writeFat(volume: FatVolume): SecretBytes {
  const sizeBytes = volume.sizeBytes ?? defaultSize;
  if (!Number.isInteger(sizeBytes / sectorBytes) || sizeBytes > largest) return refuse(`size ${sizeBytes}`);
  const geometry = geometryOf(sizeBytes);
  if (geometry === undefined) return refuse(`size ${sizeBytes}`);
  const placed = placeFiles(volume.files, geometry);
  const entries = [
    labelEntry(volume.label),
    ...directoryEntries(
      placed.map(({ name, clusters, bytes }) => ({ name, firstCluster: clusters[0] ?? 0, size: bytes.length })),
    ),
  ];
  if (entries.length > geometry.rootEntries) return refuse(`${volume.files.length} files`);

  const image = Buffer.alloc(sizeBytes);
  image.set(bootSector(volume, geometry));
  const table = allocationTable(placed, geometry);
  for (let copy = 0; copy < fatCopies; copy++) {
    image.set(table, (geometry.reservedSectors + copy * geometry.sectorsPerFat) * sectorBytes);
  }
  for (const [index, entry] of entries.entries()) image.set(entry, rootOffset(geometry) + index * entryBytes);
  for (const { clusters, bytes } of placed) {
    if (clusters[0] !== undefined) image.set(bytes, clusterOffset(geometry, clusters[0]));
  }
  return SecretBytes.take(image);
}

interface PlacedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** One after the other without gaps. */
  readonly clusters: readonly number[];
}

function placeFiles(files: readonly FatFile[], geometry: Geometry): readonly PlacedFile[] {
  let next = 2;
  return files.map(({ name, content }) => {
    const bytes = content instanceof Uint8Array ? content : content.bytes;
    const first = next;
    next += Math.ceil(bytes.length / clusterBytes(geometry));
    if (next > geometry.clusters + 2) return refuse(`no room for ${name}`);
    return { name, bytes, clusters: Array.from({ length: next - first }, (_, index) => first + index) };
  });
}

function bootSector({ label, volumeId }: FatVolume, geometry: Geometry): Uint8Array {
  if (!/^[0-9A-F]{4}-[0-9A-F]{4}$/.test(volumeId)) return refuse(`volume id ${volumeId}`);
  const sector = Buffer.alloc(sectorBytes);
  const isSmall = geometry.totalSectors < 0x10000;
  sector.set([0xeb, 0x3c, 0x90]);
  sector.write('MSWIN4.1', 3, 'latin1');
  sector.writeUInt16LE(sectorBytes, 11);
  sector.writeUInt8(geometry.sectorsPerCluster, 13);
  sector.writeUInt16LE(geometry.reservedSectors, 14);
  sector.writeUInt8(fatCopies, 16);
  sector.writeUInt16LE(geometry.rootEntries, 17);
  sector.writeUInt16LE(isSmall ? geometry.totalSectors : 0, 19);
  sector.writeUInt8(fixedDisk, 21);
  sector.writeUInt16LE(geometry.sectorsPerFat, 22);
  // Sectors a track and heads: for BIOS calls of old, any sane value will do.
  sector.writeUInt16LE(32, 24);
  sector.writeUInt16LE(64, 26);
  sector.writeUInt32LE(isSmall ? 0 : geometry.totalSectors, 32);
  sector.writeUInt8(0x80, 36);
  sector.writeUInt8(0x29, 38);
  sector.writeUInt32LE(Number.parseInt(volumeId.replace('-', ''), 16), 39);
  sector.write(paddedLabel(label), 43, 'latin1');
  sector.write(geometry.bits === 12 ? 'FAT12   ' : 'FAT16   ', 54, 'latin1');
  sector.set([0x55, 0xaa], 510);
  return sector;
}

function allocationTable(files: readonly PlacedFile[], geometry: Geometry): Uint8Array {
  const table = Buffer.alloc(geometry.sectorsPerFat * sectorBytes);
  const end = geometry.bits === 12 ? 0xfff : 0xffff;
  const set = (cluster: number, value: number): void => {
    if (geometry.bits === 16) {
      table.writeUInt16LE(value, cluster * 2);
      return;
    }
    // Two entries share three bytes.
    const at = cluster + (cluster >> 1);
    const old = table.readUInt16LE(at);
    table.writeUInt16LE(cluster % 2 === 0 ? (old & 0xf000) | value : (old & 0x000f) | (value << 4), at);
  };
  set(0, (end & 0xff00) | fixedDisk);
  set(1, end);
  for (const { clusters } of files) {
    for (const [index, cluster] of clusters.entries()) set(cluster, clusters[index + 1] ?? end);
  }
  return table;
}

function refuse(detail: string): never {
  throw new KannukiError('KNK-FMT-0301', { details: { detail } });
}
