import { type FileHandle, open } from 'node:fs/promises';
import { parseExtSuperblock } from '../../../facts/file-system.ts';

/** What the block counts of an ext2, ext3 or ext4 file system say: as far as an estimate needs it. All amounts are bytes. */
export interface ExtGeometry {
  readonly blockBytes: number;
  readonly sizeBytes: number;
  readonly freeBytes: number;
  /** What a check reads of inode tables: the parts that were ever used. */
  readonly inodeTableBytes: number;
  /** Used in each group of blocks, without the group's own tables; empty when the groups' descriptors cannot be read simply. */
  readonly usedInGroups: readonly number[];
  readonly groupBytes: number;
  /** resize2fs can shrink it, and the kernel can grow it back while it is mounted. */
  readonly canBeResized: boolean;
  /** null where inode tables do not lie together, or where the groups' descriptors cannot be read simply. */
  readonly flex: FlexLayout | null;
}

/** Where an ext4 with flex_bg has its tables: those of a row of groups lie together at its beginning. Counts, not bytes. */
export interface FlexLayout {
  readonly groups: number;
  readonly groupBlocks: number;
  /** Groups of a row. */
  readonly rowGroups: number;
  /** Inode table and both bitmaps of one group. */
  readonly tableBlocks: number;
  /** Descriptors, with what is reserved for more of them, beside each copy of the super block. */
  readonly descriptorBlocks: number;
  readonly usedBlocks: number;
  readonly usedInodes: number;
  readonly groupInodes: number;
}

const superblockAt = 1024;
const compatResizeInode = 0x10;
const compatSparseSuper2 = 0x200;
const roCompatSparseSuper = 0x1;
const roCompatClusters = 0x200;
const incompatMetaGroups = 0x10;
const incompatExtents = 0x40;
const incompatFlexGroups = 0x200;
const incompat64Bit = 0x80;
/** 64 TiB with groups of 128 MiB have 512 Ki groups of 64 bytes. */
const largestTable = 64 * 1024 * 1024;

/**
 * Reads super block and group descriptors (Linux, Documentation/filesystems/ext4: super.rst, group_descr.rst). The file system may be
 * mounted: the kernel keeps both in the cache of the block device, which is what is read.
 * @returns null when the device holds no such file system
 */
export async function readExtGeometry(device: string): Promise<ExtGeometry | null> {
  const file = await open(device, 'r');
  try {
    const beginning = await readBytes(file, 0, 4096);
    const known = parseExtSuperblock(beginning);
    if (known === null) return null;
    const { blockBytes } = known;
    const block = beginning.subarray(superblockAt);
    const incompat = block.readUInt32LE(0x60);
    const is64Bit = (incompat & incompat64Bit) !== 0;
    const count = (low: number, high: number): number =>
      block.readUInt32LE(low) + (is64Bit ? block.readUInt32LE(high) * 2 ** 32 : 0);
    const blocks = count(0x04, 0x150);
    const groupBlocks = block.readUInt32LE(0x20);
    const inodeBytes = block.readUInt16LE(0x58);
    const inodesPerGroup = block.readUInt32LE(0x28);
    if (groupBlocks === 0 || blocks === 0 || !Number.isSafeInteger(blocks * blockBytes)) return null;
    const groups = Math.ceil((blocks - block.readUInt32LE(0x14)) / groupBlocks);
    const descriptorBytes = is64Bit ? Math.max(64, block.readUInt16LE(0xfe)) : 32;
    const tableBytes = groups * descriptorBytes;
    const isSimple = (incompat & incompatMetaGroups) === 0 && tableBytes <= largestTable;
    const tableAt = (block.readUInt32LE(0x14) + 1) * blockBytes;
    const table = isSimple ? await readBytes(file, tableAt, tableBytes) : Buffer.alloc(0);
    const ownBlocks = Math.ceil((inodesPerGroup * inodeBytes) / blockBytes) + 2;
    const usedInGroups: number[] = [];
    let [usedBlocks, usedInodes] = [0, 0];
    let inodeTableBytes = isSimple ? 0 : groups * inodesPerGroup * inodeBytes;
    for (let at = 0; at + descriptorBytes <= table.length; at += descriptorBytes) {
      const isWide = descriptorBytes >= 64;
      const free = table.readUInt16LE(at + 0x0c) + (isWide ? table.readUInt16LE(at + 0x2c) * 65536 : 0);
      const unused = table.readUInt16LE(at + 0x1c) + (isWide ? table.readUInt16LE(at + 0x32) * 65536 : 0);
      const freeInodes = table.readUInt16LE(at + 0x0e) + (isWide ? table.readUInt16LE(at + 0x2e) * 65536 : 0);
      usedInodes += Math.max(0, inodesPerGroup - freeInodes);
      usedBlocks += Math.max(0, Math.min(groupBlocks, blocks - usedInGroups.length * groupBlocks) - free);
      usedInGroups.push(Math.max(0, groupBlocks - free - ownBlocks) * blockBytes);
      inodeTableBytes += Math.max(0, inodesPerGroup - unused) * inodeBytes;
    }
    const [compat, roCompat] = [block.readUInt32LE(0x5c), block.readUInt32LE(0x64)];
    const hasRows =
      isSimple &&
      (incompat & incompatFlexGroups) !== 0 &&
      (incompat & incompatExtents) !== 0 &&
      (roCompat & roCompatSparseSuper) !== 0 &&
      (roCompat & roCompatClusters) === 0 &&
      (compat & compatSparseSuper2) === 0 &&
      block.readUInt8(0x174) < 16;
    return {
      blockBytes,
      sizeBytes: blocks * blockBytes,
      freeBytes: count(0x0c, 0x158) * blockBytes,
      inodeTableBytes,
      usedInGroups,
      groupBytes: groupBlocks * blockBytes,
      canBeResized: (compat & compatResizeInode) !== 0 && (roCompat & roCompatClusters) === 0,
      flex: hasRows
        ? {
            groups,
            groupBlocks,
            rowGroups: 2 ** block.readUInt8(0x174),
            tableBlocks: ownBlocks,
            descriptorBlocks: Math.ceil(tableBytes / blockBytes) + block.readUInt16LE(0xce),
            usedBlocks,
            usedInodes,
            groupInodes: inodesPerGroup,
          }
        : null,
    };
  } finally {
    await file.close();
  }
}

/** Bytes that lie behind a front and have to move into it when the file system shrinks to it: an upper bound. */
export function bytesBehind(geometry: ExtGeometry, frontBytes: number): number {
  const { usedInGroups, groupBytes, sizeBytes, freeBytes } = geometry;
  if (usedInGroups.length === 0) return sizeBytes - freeBytes;
  return usedInGroups.slice(Math.floor(frontBytes / groupBytes)).reduce((sum, used) => sum + used, 0);
}

async function readBytes(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, position);
  return buffer.subarray(0, bytesRead);
}
