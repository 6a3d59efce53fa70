import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { run } from '@kannuki/core';

const chunkBytes = 4 * 1024 * 1024;

/**
 * SHA-256 of what a block device holds now. The device's own page cache does not hear of writes that went past it (file
 * data, dm-crypt), so what it has of them is dropped first. Takes 4 MiB of memory, whatever the size.
 */
export async function diskHash(device: string): Promise<string> {
  await run('sync', []);
  // Of this device only: without its caches the whole lab machine would read each program from the host again.
  await run('blockdev', ['--flushbufs', device]);
  const hash = createHash('sha256');
  const buffer = Buffer.alloc(chunkBytes);
  const disk = await open(device, 'r');
  try {
    for (;;) {
      const { bytesRead } = await disk.read(buffer, 0, chunkBytes);
      if (bytesRead === 0) break;
      hash.update(buffer.subarray(0, bytesRead));
    }
  } finally {
    await disk.close();
  }
  return hash.digest('hex');
}
