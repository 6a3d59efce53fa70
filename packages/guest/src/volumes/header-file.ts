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
