import { readdir } from 'node:fs/promises';

/** Whether a mounted file system holds no file of anybody's: nothing but what mkfs(8) makes. Deleted files do not count. */
export async function isEmptyFileSystem(point: string): Promise<boolean> {
  return (await readdir(point)).every((name) => name === 'lost+found');
}
