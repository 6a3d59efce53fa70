import { copyFile, stat, truncate } from 'node:fs/promises';

/** A VM may print without end; a boot prints some 40 KB. */
const limitBytes = 8 * 1024 * 1024;

/**
 * Keeps a console log within bounds: what is over the limit moves to `PATH.1`, over what was there. QEMU has the log
 * open for appending, so it is emptied and not replaced; what is printed in between is lost.
 */
export async function boundConsoleLog(path: string, limit = limitBytes): Promise<void> {
  try {
    if ((await stat(path)).size <= limit) return;
    await copyFile(path, `${path}.1`);
    await truncate(path, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
