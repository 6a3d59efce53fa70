import { constants, copyFile, link, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeDirectoryDurably, renameDurably, syncDirectory, writeAll } from '@kannuki/core';
import type { RebuiltHeader } from '@kannuki/formats';
import { guardCopyOf } from '../volumes/recovery-guard.ts';

/**
 * Writes the rebuilt header beside the place of the old one, durably.
 * @param over a damaged header file whose work area still counts: the rest of it is kept
 */
export async function writeUnfinished(path: string, made: RebuiltHeader, over: string | undefined): Promise<void> {
  await makeDirectoryDurably(dirname(path), 0o700);
  await rm(path, { force: true });
  if (over !== undefined) await copyFile(over, path, constants.COPYFILE_EXCL);
  const file = await open(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  try {
    await file.chmod(0o600);
    if ((await file.stat()).size < made.fileSize) await file.truncate(made.fileSize);
    await writeAll(file, made.bytes, 0);
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * Lets the new header take the place; what was there stays beside it. The old one has two names for a moment and the place
 * is never empty, so a power cut leaves the old header or the new one.
 * @returns where the old one is; null when there was none
 */
export async function takePlace(header: string, unfinished: string, now: Date): Promise<string | null> {
  const time = now.toISOString().replace(/[-:]|\.\d+/g, '');
  const guard = guardCopyOf(header);
  // A copy of the guard that is no good would be put over the new header before the next open.
  await keepAs(guard, `${guard}.damaged-${time}`);
  await rm(guard, { force: true });
  const kept = await keepAs(header, `${header}.damaged-${time}`);
  await syncDirectory(dirname(header));
  await renameDurably(unfinished, header);
  return kept;
}

async function keepAs(path: string, name: string): Promise<string | null> {
  try {
    await link(path, name);
    return name;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
