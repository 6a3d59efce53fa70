import { type FileHandle, open } from 'node:fs/promises';
import type { FileSystemFact } from './model.ts';

/** As far as the superblock of btrfs, which begins at 64 KiB, goes. */
const bytesRead = 68 * 1024;
const extStart = 1024;
const extMagic = 0xef53;
const extHasJournal = 0x4;
const extIsJournalDevice = 0x8;
/** ext4 knows blocks of 1 KiB to 64 KiB; s_log_block_size counts from 1 KiB. */
const extLargestLog = 6;
const xfsMagic = 0x58465342;
const btrfsStart = 64 * 1024;
const btrfsMagic = '_BHRfS_M';
const xfsSizes = { smallest: 512, largestBlock: 65536, largestSector: 32768 };

/**
 * Reads the superblock of an ext2, ext3, ext4, XFS or btrfs file system. The kernel refuses to mount one on a device whose logical
 * sectors are larger than its own units, so a LUKS sector must not be larger either. Mounted file systems may be
 * read: the fields never change.
 * @returns null when the first bytes are of no such file system
 */
export async function readFileSystem(path: string): Promise<FileSystemFact | null> {
  const file = await open(path, 'r');
  try {
    const bytes = await readStart(file);
    return parseExtSuperblock(bytes) ?? parseXfsSuperblock(bytes) ?? parseBtrfsSuperblock(bytes);
  } finally {
    await file.close();
  }
}

async function readStart(file: FileHandle): Promise<Buffer> {
  const { buffer, bytesRead: count } = await file.read(Buffer.alloc(bytesRead), 0, bytesRead, 0);
  return buffer.subarray(0, count);
}

/**
 * Source: Documentation/filesystems/ext4/super.rst of Linux.
 * @param bytes the first bytes of the device; whatever is in them, the answer is sound numbers or null
 */
export function parseExtSuperblock(bytes: Buffer): FileSystemFact | null {
  if (bytes.length < extStart + 1024) return null;
  const block = bytes.subarray(extStart);
  const log = block.readUInt32LE(0x18);
  if (block.readUInt16LE(0x38) !== extMagic || log > extLargestLog) return null;
  const hasJournal = (block.readUInt32LE(0x5c) & extHasJournal) !== 0;
  const isJournalDevice = (block.readUInt32LE(0x60) & extIsJournalDevice) !== 0;
  const journalInode = block.readUInt32LE(0xe0);
  const blockBytes = 1024 << log;
  return {
    blockBytes,
    sectorBytes: blockBytes,
    hasOtherDevices: isJournalDevice || (hasJournal && journalInode === 0),
  };
}

/**
 * Source: "XFS Algorithms & Data Structures", superblocks; all numbers are big-endian.
 * @param bytes the first bytes of the device
 */
export function parseXfsSuperblock(bytes: Buffer): FileSystemFact | null {
  if (bytes.length < 512 || bytes.readUInt32BE(0) !== xfsMagic) return null;
  const blockBytes = bytes.readUInt32BE(4);
  const sectorBytes = bytes.readUInt16BE(102);
  const sound =
    isSize(blockBytes, xfsSizes.largestBlock) &&
    isSize(sectorBytes, xfsSizes.largestSector) &&
    sectorBytes <= blockBytes;
  if (!sound) return null;
  const realTimeBlocks = bytes.readBigUInt64BE(16);
  const logStart = bytes.readBigUInt64BE(48);
  return { blockBytes, sectorBytes, hasOtherDevices: realTimeBlocks > 0n || logStart === 0n };
}

/**
 * Source: btrfs documentation, "On-disk format", superblock; all numbers are little-endian.
 * @param bytes the first 68 KiB of the device
 */
export function parseBtrfsSuperblock(bytes: Buffer): FileSystemFact | null {
  if (bytes.length < btrfsStart + 4096) return null;
  const block = bytes.subarray(btrfsStart);
  if (block.toString('latin1', 0x40, 0x48) !== btrfsMagic) return null;
  const deviceCount = block.readBigUInt64LE(0x88);
  const sectorBytes = block.readUInt32LE(0x90);
  if (!isSize(sectorBytes, xfsSizes.largestBlock) || deviceCount === 0n) return null;
  return { blockBytes: sectorBytes, sectorBytes, hasOtherDevices: deviceCount > 1n };
}

function isSize(size: number, largest: number): boolean {
  return size >= xfsSizes.smallest && size <= largest && (size & (size - 1)) === 0;
}
