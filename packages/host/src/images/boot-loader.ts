import { open, readFile } from 'node:fs/promises';
import { KannukiError, writeAll } from '@kannuki/core';
import type { Layout } from './layout.ts';

const sectorBytes = 512;
/** Code area of a master boot record: what follows is the disk's signature and partition table. */
const bootCodeBytes = 440;
/** Fields of GRUB's first two sectors (GRUB 2.06, include/grub/i386/pc/boot.h and kernel.h). */
const kernelSectorField = 0x5c;
const driveCheckField = 0x66;
const blockListField = sectorBytes - 12;
const twoNops = 0x9090;

/**
 * Makes a disk image start by itself under BIOS: GRUB's boot.img into the boot record, core.img into the BIOS boot
 * partition. It does what grub-bios-setup does, but on a file, so no loop device and no root is needed.
 */
export async function installBootLoader(
  disk: string,
  layout: Layout,
  bootImagePath: string,
  coreImagePath: string,
): Promise<void> {
  const file = await open(disk, 'r+');
  try {
    const core = await readFile(coreImagePath);
    if (core.length > layout.biosBoot.sizeBytes) {
      throw new KannukiError('KNK-HST-0009', { details: { detail: 'GRUB does not fit the BIOS boot partition' } });
    }
    await writeAll(file, patchCore(core, layout), layout.biosBoot.offsetBytes);
    await writeAll(file, patchBoot(await readFile(bootImagePath), layout), 0);
  } finally {
    await file.close();
  }
}

/** The boot sector loads one sector: the first of core.img. */
function patchBoot(image: Buffer, layout: Layout): Buffer {
  const code = Buffer.from(image.subarray(0, bootCodeBytes));
  code.writeBigUInt64LE(BigInt(layout.biosBoot.offsetBytes / sectorBytes), kernelSectorField);
  // A hard disk: believe the BIOS about the drive it booted from.
  code.writeUInt16LE(twoNops, driveCheckField);
  return code;
}

/** The first sector of core.img loads the rest, from the sector after it. */
function patchCore(image: Buffer, layout: Layout): Buffer {
  const core = Buffer.from(image);
  core.writeBigUInt64LE(BigInt(layout.biosBoot.offsetBytes / sectorBytes + 1), blockListField);
  core.writeUInt16LE(Math.ceil(core.length / sectorBytes) - 1, blockListField + 8);
  return core;
}
