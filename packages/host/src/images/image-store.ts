import { chmod, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { KannukiError, makeDirectoryDurably, syncDirectory, writeFileDurably } from '@kannuki/core';
import type { Image } from '../port.ts';

/** What the manifest says; the path follows from the folder, so that a data directory can be moved. */
type Manifest = Omit<Image, 'path' | 'fileName'>;

const manifestName = /^([a-z0-9][a-z0-9.-]{0,63})\.json$/;

/**
 * The images of a data directory: `NAME.json` names the present one, `NAME-HASH.raw` is a disk that never changes
 * again, because machines that exist stand on it. A disk goes when neither a manifest nor a machine names it.
 */
export class ImageStore {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  get cacheFolder(): string {
    return join(this.folder, '.cache');
  }

  get packageFolder(): string {
    return join(this.cacheFolder, 'packages');
  }

  get lockPath(): string {
    return join(this.cacheFolder, 'lock');
  }

  basePath(hash: string): string {
    return join(this.cacheFolder, `base-${hash}.raw`);
  }

  async prepare(): Promise<void> {
    await makeDirectoryDurably(this.packageFolder);
    // A user namespace's root has to read and write here (mmdebstrap without root).
    await chmod(this.packageFolder, 0o755);
  }

  /** @returns undefined where no image of this name was built, or its disk is gone */
  async find(name: string): Promise<Image | undefined> {
    const path = join(this.folder, `${name}.json`);
    let text: string;
    try {
      text = await readFile(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    const image = this.#parse(path, text);
    try {
      const { size } = await stat(image.path);
      return size === image.sizeBytes ? image : undefined;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  async list(): Promise<readonly Image[]> {
    const images: Image[] = [];
    for (const entry of await this.#entries()) {
      const name = manifestName.exec(entry)?.[1];
      const image = name === undefined ? undefined : await this.find(name);
      if (image !== undefined) images.push(image);
    }
    return images;
  }

  /** Takes a finished, synced disk over: it is read-only from now on. */
  async add(disk: string, manifest: Manifest): Promise<Image> {
    const fileName = diskName(manifest);
    const path = join(this.folder, fileName);
    await chmod(disk, 0o444);
    await rename(disk, path);
    await syncDirectory(this.folder);
    await writeFileDurably(join(this.folder, `${manifest.name}.json`), `${JSON.stringify(manifest, null, 2)}\n`);
    return { ...manifest, path, fileName };
  }

  /** Removes the disks that no manifest and no machine stands on. */
  async collect(inUse: ReadonlySet<string>): Promise<void> {
    const current = new Set((await this.list()).map((image) => image.path));
    for (const entry of await this.#entries()) {
      const path = join(this.folder, entry);
      if (entry.endsWith('.raw') && !current.has(path) && !inUse.has(path)) await rm(path, { force: true });
    }
  }

  async dropBases(): Promise<void> {
    for (const entry of await readdir(this.cacheFolder)) {
      if (/^base-.*\.raw$/.test(entry)) await rm(join(this.cacheFolder, entry), { force: true });
    }
  }

  async #entries(): Promise<string[]> {
    try {
      return (await readdir(this.folder)).sort();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }

  #parse(path: string, text: string): Image {
    const damaged = (detail: string, cause?: unknown): KannukiError =>
      new KannukiError('KNK-HST-0015', { details: { path, detail }, cause });
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      throw damaged('not JSON', error);
    }
    if (typeof value !== 'object' || value === null) throw damaged('not an object');
    const fields = value as Record<string, unknown>;
    const words = ['name', 'urn', 'sha256', 'builtAt', 'inputsSha256'] as const;
    if (!/^[0-9a-f]{64}$/.test(String(fields.sha256))) throw damaged('sha256 is not a hash');
    for (const word of words) if (typeof fields[word] !== 'string') throw damaged(`${word} is missing`);
    if (!Number.isSafeInteger(fields.sizeBytes)) throw damaged('sizeBytes is missing');
    if (fields.format !== 'raw') throw damaged('format is unknown');
    const manifest = fields as unknown as Manifest;
    const fileName = diskName(manifest);
    return { ...manifest, path: join(this.folder, fileName), fileName };
  }
}

function diskName(manifest: Manifest): string {
  return `${manifest.name}-${manifest.sha256.slice(0, 16)}.raw`;
}
