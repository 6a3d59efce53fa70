import { constants, existsSync } from 'node:fs';
import { copyFile, open, rm } from 'node:fs/promises';
import { makeDirectoryDurably, removeDurably, renameDurably, syncFile, writeAll } from '@kannuki/core';
import { readLuks2Header } from '@kannuki/formats';
import { readHeaderFile } from '../../header-file.ts';
import { headerPlace } from '../../header-place.ts';
import type { Journal } from '../../journal.ts';
import { type EnginePaths, headerFolder, headerPath } from '../../paths.ts';

/**
 * The header with which the conversion to the new key begins, as long as it is not the volume's: a whole header file beside that of
 * the volume, be the volume's own a file or on the disk.
 */
export function headerCopyPath(journal: Pick<Journal, 'name'>, paths: EnginePaths): string {
  return `${headerPath(paths, journal.name)}.rotating`;
}

/** Copies the header, key slots and work area included. @returns the copy; not durable yet, and under another name */
export async function copyHeader(journal: Journal, paths: EnginePaths): Promise<string> {
  const unfinished = `${headerCopyPath(journal, paths)}.new`;
  await makeDirectoryDurably(headerFolder(paths), 0o700);
  await rm(unfinished, { force: true });
  const header = headerPlace(journal, paths);
  if (journal.header.place === 'file') {
    await copyFile(header, unfinished, constants.COPYFILE_EXCL);
    return unfinished;
  }
  const area = await areaBefore(header);
  const [from, to] = [await open(header, 'r'), await open(unfinished, 'wx', 0o600)];
  try {
    for (let done = 0; done < area; ) {
      const { buffer, bytesRead } = await from.read(
        Buffer.alloc(pieceBytes),
        0,
        Math.min(pieceBytes, area - done),
        done,
      );
      if (bytesRead === 0) throw new Error(`${header} ends within its header`);
      await writeAll(to, buffer.subarray(0, bytesRead), done);
      done += bytesRead;
    }
  } finally {
    await from.close();
    await to.close();
  }
  return unfinished;
}

const pieceBytes = 1024 * 1024;

/** Bytes before the data of a device that begins with its header. */
async function areaBefore(device: string): Promise<number> {
  const { metadata } = readLuks2Header(await readHeaderFile(device)).newest;
  return Math.min(...[...metadata.segments.values()].map(({ offset }) => Number(offset)));
}

export async function keepHeaderCopy(unfinished: string, journal: Journal, paths: EnginePaths): Promise<void> {
  await syncFile(unfinished);
  await renameDurably(unfinished, headerCopyPath(journal, paths));
}

export async function removeHeaderCopy(journal: Journal, paths: EnginePaths): Promise<void> {
  const copy = headerCopyPath(journal, paths);
  await removeDurably(`${copy}.new`);
  await removeDurably(copy);
}

/** Makes the copy the header of the volume. Before it and after it there is a whole header at each instant. */
export async function installHeaderCopy(journal: Journal, paths: EnginePaths): Promise<void> {
  const copy = headerCopyPath(journal, paths);
  // A power cut came right behind it the last time.
  if (!existsSync(copy)) return;
  if (journal.header.place === 'file') {
    await renameDurably(copy, headerPath(paths, journal.name));
    return;
  }
  await writeOver(copy, journal.device.path);
  await removeDurably(copy);
}

/**
 * Onto a disk: first all that the header in force does not know of (areas of new slots), then one copy of the metadata, then the
 * other, with a sync after each: a cut leaves the old header or the new one. The old slot's area has the same bytes in both.
 */
async function writeOver(copy: string, device: string): Promise<void> {
  const { headerSize } = readLuks2Header(await readHeaderFile(copy)).newest;
  const [from, to] = [await open(copy, 'r'), await open(device, constants.O_RDWR)];
  const write = async (start: number, end: number): Promise<void> => {
    for (let at = start; at < end; ) {
      const { buffer, bytesRead } = await from.read(Buffer.alloc(pieceBytes), 0, Math.min(pieceBytes, end - at), at);
      if (bytesRead === 0) throw new Error(`${copy} is shorter than it was`);
      await writeAll(to, buffer.subarray(0, bytesRead), at);
      at += bytesRead;
    }
    await to.sync();
  };
  try {
    await write(2 * headerSize, (await from.stat()).size);
    await write(headerSize, 2 * headerSize);
    await write(0, headerSize);
  } finally {
    await from.close();
    await to.close();
  }
}
