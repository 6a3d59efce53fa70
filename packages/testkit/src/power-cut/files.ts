import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Random } from './random.ts';

/** A file that was fsynced: whatever happens after, it must be there with this content. */
export interface PromisedFile {
  readonly path: string;
  readonly sha256: string;
}

/** Stands in every file again and again, so that a search of the raw disk finds any block that was left plain. */
export const canary = 'KANNUKI-PLAINTEXT-CANARY-9f1c';

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Content of a file: from the random generator, with the canary at each 512 bytes. */
export function fileContent(random: Random, bytes: number): Buffer {
  const content = Buffer.alloc(bytes);
  for (let offset = 0; offset + 4 <= bytes; offset += 4) content.writeUInt32LE(random.between(0, 0xffffffff), offset);
  for (let offset = 0; offset + canary.length <= bytes; offset += 512) content.write(canary, offset, 'latin1');
  return content;
}

/** Writes as a careful program does: new file, fsync, rename, fsync of the folder. When it returns the file is promised. */
export async function writePromised(folder: string, name: string, content: Uint8Array): Promise<PromisedFile> {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, name);
  const file = await open(`${path}.tmp`, 'w');
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.tmp`, path);
  const directory = await open(folder, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
  return { path, sha256: sha256(content) };
}

/** The promised files that are missing or differ. */
export function damagedFiles(promised: readonly PromisedFile[]): readonly string[] {
  return promised
    .filter(({ path, sha256: wanted }) => !existsSync(path) || sha256(readFileSync(path)) !== wanted)
    .map(({ path }) => path);
}
