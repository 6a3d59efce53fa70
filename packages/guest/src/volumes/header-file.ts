import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/** Both copies of the header and the key slot areas as cryptsetup lays them out; the work area behind them is not read. */
const readBytes = 1024 * 1024;

/** The part of a detached header file that says what it is. */
export async function readHeaderFile(path: string): Promise<Uint8Array> {
  const file = await open(path, 'r');
  try {
    return await readBeginning(file);
  } finally {
    await file.close();
  }
}

/**
 * Replaces both copies of the header so that a power cut leaves at least one of them whole: the secondary with its own
 * flush first, then the primary.
 * @param copies both copies as they are to lie from the beginning of the file
 */
export async function writeHeaderCopies(path: string, copies: Uint8Array, copySize: number): Promise<void> {
  const file = await open(path, constants.O_RDWR);
  try {
    for (const offset of [copySize, 0]) {
      await file.write(copies, offset, copySize, offset);
      await file.sync();
    }
  } finally {
    await file.close();
  }
}

async function readBeginning(file: FileHandle): Promise<Uint8Array> {
  const buffer = Buffer.alloc(readBytes);
  let done = 0;
  while (done < readBytes) {
    const { bytesRead } = await file.read(buffer, done, readBytes - done, done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return buffer.subarray(0, done);
}
