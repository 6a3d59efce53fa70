import { constants } from 'node:fs';
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { writeAll } from '@kannuki/core';
import { readLuks2Header } from '@kannuki/formats';

/** Both copies of the header and the key slot areas as cryptsetup lays them out; the work area behind them is not read. */
const readBytes = 1024 * 1024;
/** LUKS2 keeps the data of a volume with its header on the device this far from its beginning, and at most so far. */
const largestHeaderArea = 128 * 1024 * 1024;

/** The part of a detached header file, or of the device that begins with its header, that says what it is. */
export async function readHeaderFile(path: string): Promise<Uint8Array> {
  return await readBeginning(path, readBytes);
}

/** A header on a device, whole, with key slots and work area: all that lies before the data. */
export async function readHeaderArea(device: string): Promise<Uint8Array> {
  const { metadata } = readLuks2Header(await readHeaderFile(device)).newest;
  const ends = [...metadata.segments.values()].map(({ offset }) => Number(offset)).filter((offset) => offset > 0);
  return await readBeginning(device, Math.min(...ends, largestHeaderArea));
}

/** Writes a header area from a file back to the beginning of its device; the rest of the device is not touched. */
export async function writeHeaderArea(from: string, device: string): Promise<void> {
  const bytes = await readFile(from);
  const file = await open(device, constants.O_RDWR);
  try {
    await writeAll(file, bytes, 0);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function readBeginning(path: string, length: number): Promise<Uint8Array> {
  const file = await open(path, 'r');
  try {
    return await readUpTo(file, length);
  } finally {
    await file.close();
  }
}

async function readUpTo(file: FileHandle, length: number): Promise<Uint8Array> {
  const buffer = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(buffer, done, length - done, done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return buffer.subarray(0, done);
}
