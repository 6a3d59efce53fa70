import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { writeAll } from '@kannuki/core';

/**
 * Writes an image to the beginning of a device so that a power cut leaves one of two things that can be told apart: the device
 * as it was, or one that carries our mark. The mark is a piece of the image within one sector of 512 bytes, the least that
 * every disk writes whole, and has a random UUID in it. It is on stable storage before anything else is written; then all.
 */
export interface MarkedImage {
  readonly bytes: Uint8Array;
  /** Where the mark lies in the image, bytes; a multiple of 512. */
  readonly markOffset: number;
}

const sector = 512;
const pieceBytes = 1024 * 1024;

/** Whether the device carries the mark, so that nothing on it is anybody's any more. */
export async function carriesMark(device: string, image: MarkedImage): Promise<boolean> {
  const file = await open(device, 'r');
  try {
    const found = Buffer.alloc(sector);
    const { bytesRead } = await file.read(found, 0, sector, image.markOffset);
    return bytesRead === sector && found.equals(markOf(image));
  } finally {
    await file.close();
  }
}

/** Refused by the kernel (EBUSY) while anything else uses the device: O_EXCL on a block device claims it, open(2). */
export async function writeMarkedImage(device: string, image: MarkedImage): Promise<void> {
  const file = await open(device, constants.O_RDWR | constants.O_EXCL);
  try {
    await writeAll(file, markOf(image), image.markOffset);
    await file.sync();
    for (let offset = 0; offset < image.bytes.length; offset += pieceBytes) {
      await writeAll(file, image.bytes.subarray(offset, offset + pieceBytes), offset);
    }
    await file.sync();
  } finally {
    await file.close();
  }
}

function markOf({ bytes, markOffset }: MarkedImage): Uint8Array {
  return bytes.subarray(markOffset, markOffset + sector);
}
