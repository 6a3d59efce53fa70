import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/**
 * Replaces a file so that a power cut at any instant leaves the old content or the new, never a mixture:
 * new file beside it, fsync, rename, fsync of the directory.
 * @param mode permission bits of the new file, e.g. 0o600
 */
export async function writeFileDurably(path: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
  const directory = dirname(path);
  const temporary = join(directory, `.${basename(path)}.new`);
  await rm(temporary, { force: true });
  const file = await open(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, mode);
  try {
    await file.writeFile(content);
    await file.chmod(mode);
    await file.sync();
  } catch (error) {
    // Of a write the system says only that it failed; whoever has to make room wants to know where.
    throw error instanceof Error ? Object.assign(error, { path }) : error;
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  await syncDirectory(directory);
}

/** Renames on the same file system and makes the new name last. The content must have been synced before. */
export async function renameDurably(from: string, to: string): Promise<void> {
  await rename(from, to);
  await syncDirectory(dirname(to));
}

/** Removes a file, if it is there, and makes its absence last. */
export async function removeDurably(path: string): Promise<void> {
  await rm(path, { force: true });
  try {
    await syncDirectory(dirname(path));
  } catch (error) {
    // Without its folder the file is as gone as it can be.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** Makes a directory and its parents last. */
export async function makeDirectoryDurably(path: string, mode = 0o755): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode });
  if (first === undefined) return;
  for (let directory = path; directory.length >= dirname(first).length; directory = dirname(directory)) {
    await syncDirectory(directory);
    if (directory === dirname(directory)) break;
  }
}

/** Writes all of it: one write(2) may take less. Not durable yet. @throws Error EIO when the system takes nothing more */
export async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    if (bytesWritten === 0) throw Object.assign(new Error('nothing was written'), { code: 'EIO', syscall: 'write' });
    done += bytesWritten;
  }
}

export async function syncFile(path: string): Promise<void> {
  await withOpen(path, (file) => file.sync());
}

export async function syncDirectory(path: string): Promise<void> {
  await withOpen(path, (directory) => directory.sync());
}

async function withOpen(path: string, action: (file: FileHandle) => Promise<void>): Promise<void> {
  const file = await open(path, 'r');
  try {
    await action(file);
  } finally {
    await file.close();
  }
}
