import { open } from 'node:fs/promises';

/** The superblock of btrfs; fs/btrfs/ctree.h of Linux: the device's own item begins at 0xc9, with its number first. */
const superblockStart = 64 * 1024;
const magicOffset = 0x40;
const magic = '_BHRfS_M';
const deviceNumberOffset = 0xc9;

/** The number by which a btrfs knows one of its devices. The field never changes, so a mounted one may be read. */
export async function btrfsDeviceNumber(path: string): Promise<bigint> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4096), 0, 4096, superblockStart);
    const isBtrfs = buffer.subarray(magicOffset, magicOffset + magic.length).toString('latin1') === magic;
    if (bytesRead < 4096 || !isBtrfs) throw new Error(`${path} holds no btrfs`);
    return buffer.readBigUInt64LE(deviceNumberOffset);
  } finally {
    await file.close();
  }
}
