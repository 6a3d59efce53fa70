import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { GuestProgram } from './guest-program.ts';
import type { Recipe } from './recipe.ts';

/** Two hashes: what the slow part (packages) depends on, and that plus the agent. */
export interface InputHashes {
  readonly base: string;
  readonly image: string;
}

export async function hashInputs(recipe: Recipe, program: GuestProgram): Promise<InputHashes> {
  const base = createHash('sha256');
  const { folder, ...words } = recipe;
  base.update(JSON.stringify(words));
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  for (const path of paths.sort()) {
    base.update(`\n${relative(folder, path)}\n`);
    await addFile(base, path);
  }
  await addFile(base, program.nodePath);
  await addFile(base, program.unitPath);
  const image = base.copy();
  await addFile(image, program.bundlePath);
  return { base: base.digest('hex'), image: image.digest('hex') };
}

/** SHA-256 of a file's content, hex. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await addFile(hash, path);
  return hash.digest('hex');
}

async function addFile(hash: Hash, path: string): Promise<void> {
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) hash.update(chunk as Buffer);
}
