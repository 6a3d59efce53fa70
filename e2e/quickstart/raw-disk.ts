import { open } from 'node:fs/promises';

const piece = 8 * 1024 * 1024;

/** Whether the text stands anywhere on the raw disk, as a thief of it would look for it. */
export async function diskHolds(path: string, text: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const buffer = Buffer.alloc(piece + text.length - 1);
    for (let position = 0; ; position += piece) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
      if (buffer.subarray(0, bytesRead).includes(text)) return true;
      if (bytesRead < buffer.length) return false;
    }
  } finally {
    await file.close();
  }
}
