import { copyFile } from 'node:fs/promises';
import { removeDurably, renameDurably, syncFile } from '@kannuki/core';
import { readLuks2Header, reencryptionProgress } from '@kannuki/formats';
import { readHeaderFile } from './header-file.ts';

/**
 * The guard for cryptsetup's own recovery. When a conversion was cut in the middle of a piece, `open` writes the piece
 * again from the work area of the header. Two things are missing there (2.6.1): the work area is wiped before the header forgets
 * the piece, so a second cut in between replays random bytes; and the data device is never flushed, so the piece may be
 * lost although the header calls it done. The remedy: keep the whole header as it was until the data is flushed. A copy that
 * is found before an open means that the last recovery did not come to its end, and it begins again from the copy.
 */
export function guardCopyPath(header: string): string {
  return `${header}.before-recovery`;
}

/** Call it before the mapping is opened, and only while it is not open. */
export async function prepareOpen(header: string, deviceSizeBytes: number): Promise<void> {
  const copy = guardCopyPath(header);
  if (await putBack(copy, header)) return;
  const { metadata } = readLuks2Header(await readHeaderFile(header)).newest;
  if (reencryptionProgress(metadata, deviceSizeBytes).needsRecovery) await copyDurably(header, copy);
}

/** Call it after the mapping is open and before anything is mounted from it. */
export async function settleOpen(header: string, device: string): Promise<void> {
  // fsync of a block device writes back what is cached and makes the disk flush its own cache.
  await syncFile(device);
  await syncFile(header);
  await removeDurably(guardCopyPath(header));
}

async function putBack(copy: string, header: string): Promise<boolean> {
  try {
    await copyDurably(copy, header);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

async function copyDurably(from: string, to: string): Promise<void> {
  const unfinished = `${to}.new`;
  await copyFile(from, unfinished);
  await syncFile(unfinished);
  await renameDurably(unfinished, to);
}
