import { copyFile } from 'node:fs/promises';
import { removeDurably, renameDurably, syncFile, writeFileDurably } from '@kannuki/core';
import { readLuks2Header, reencryptionProgress } from '@kannuki/formats';
import { readHeaderArea, readHeaderFile, writeHeaderArea } from './header-file.ts';
import { headerPlace } from './header-place.ts';
import type { Journal } from './journal.ts';
import { type EnginePaths, headerPath } from './paths.ts';

/**
 * The guard for cryptsetup's own recovery. When a conversion was cut in the middle of a piece, `open` writes the piece
 * again from the work area of the header. Two things are missing there (2.6.1): the work area is wiped before the header forgets
 * the piece, so a second cut in between replays random bytes; and the data device is never flushed, so the piece may be
 * lost although the header calls it done. The remedy: keep the whole header as it was until the data is flushed. A copy that
 * is found before an open means that the last recovery did not come to its end, and it begins again from the copy.
 */
/** The copy that belongs to a header file. */
export function guardCopyOf(headerFile: string): string {
  return `${headerFile}.before-recovery`;
}

/** Beside the header files, also for a header on the device: what lies below /dev does not outlive a power cut. */
function guardCopyPath({ name }: Pick<Journal, 'name'>, paths: EnginePaths): string {
  return guardCopyOf(headerPath(paths, name));
}

type Guarded = Pick<Journal, 'name' | 'header' | 'device'>;

/** Call it before the mapping is opened, and only while it is not open. */
export async function prepareOpen(journal: Guarded, paths: EnginePaths): Promise<void> {
  const header = headerPlace(journal, paths);
  const copy = guardCopyPath(journal, paths);
  if (await putBack(copy, journal, header)) return;
  const { metadata } = readLuks2Header(await readHeaderFile(header)).newest;
  if (!reencryptionProgress(metadata, journal.device.sizeBytes).needsRecovery) return;
  if (journal.header.place === 'disk') await writeFileDurably(copy, await readHeaderArea(header), 0o600);
  else await copyDurably(header, copy);
}

/** Call it after the mapping is open and before anything is mounted from it. */
export async function settleOpen(journal: Guarded, paths: EnginePaths): Promise<void> {
  // fsync of a block device writes back what is cached and makes the disk flush its own cache.
  await syncFile(journal.device.path);
  await syncFile(headerPlace(journal, paths));
  await removeDurably(guardCopyPath(journal, paths));
}

async function putBack(copy: string, journal: Guarded, header: string): Promise<boolean> {
  try {
    // On a device a cut in here leaves the copy, and it is written again from its beginning.
    if (journal.header.place === 'disk') await writeHeaderArea(copy, header);
    else await copyDurably(copy, header);
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
