import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hasCode, KannukiError, removeDurably, writeFileDurably } from '@kannuki/core';
import { type HeaderSource, readLuks2Header } from '@kannuki/formats';
import { readHeaderFile } from '../volumes/header-file.ts';
import { type EnginePaths, headerFolder } from '../volumes/paths.ts';

/** Where mirrors lie: `NAME.luks.mirror`. */
export const defaultMirrorFolder = '/boot/kannuki';

export interface MirrorPlace {
  readonly path: string;
  /** On another device than the header; only then it is of any use. */
  readonly isApart: boolean;
}

/** Where the mirror of a volume's header lies, and whether that is another device than that of the header. */
export async function mirrorPlace(
  paths: EnginePaths,
  volume: string,
  folder = defaultMirrorFolder,
): Promise<MirrorPlace> {
  const [here, there] = await Promise.all([headerFolder(paths), folder].map(deviceBelow));
  return { path: join(folder, `${volume}.luks.mirror`), isApart: here !== there };
}

/** Number of the file system of the nearest folder that exists. */
async function deviceBelow(path: string): Promise<number> {
  for (let folder = path; ; folder = dirname(folder)) {
    try {
      return (await stat(folder)).dev;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || folder === dirname(folder)) throw error;
    }
  }
}

/**
 * The header's metadata and key slots once more, in a second place, for the time of a conversion. Behind the disk it nearly
 * always is, so it is never opened and never put in the place of a header: an old header over a disk that is further
 * would take ciphertext for plaintext. It is where the search for the true boundary begins (boundary-search.ts). The work area
 * of the conversion is left out: of no use when it is old, and it holds plaintext.
 */
export class HeaderMirror {
  readonly #header: string;
  readonly #mirror: string;
  readonly #intervalMilliseconds: number;
  #lastStart = Number.NEGATIVE_INFINITY;
  #running: Promise<void> = Promise.resolve();
  #isBusy = false;
  #problem: unknown;

  /** @param intervalSeconds the least time between two copies */
  constructor(header: string, mirror: string, intervalSeconds = 30) {
    this.#header = header;
    this.#mirror = mirror;
    this.#intervalMilliseconds = intervalSeconds * 1000;
  }

  /** Call it on every progress of the conversion; it does something at most once an interval, and never throws. */
  onProgress(): void {
    const now = performance.now();
    if (this.#isBusy || now - this.#lastStart < this.#intervalMilliseconds) return;
    this.#lastStart = now;
    this.#isBusy = true;
    this.#running = this.refresh().then(
      () => {
        this.#isBusy = false;
      },
      (error: unknown) => {
        this.#isBusy = false;
        this.#problem ??= error;
      },
    );
  }

  /** Copies now. A header that is just being written is copied the next time. */
  async refresh(): Promise<void> {
    const bytes = await readHeaderFile(this.#header);
    try {
      const { metadata } = readLuks2Header(bytes).newest;
      const end = Math.max(
        ...[...metadata.keyslots.values()].map((slot) =>
          slot.type === 'luks2' ? Number(slot.area.offset + slot.area.size) : 0,
        ),
      );
      await mkdir(dirname(this.#mirror), { recursive: true, mode: 0o700 });
      await writeFileDurably(this.#mirror, bytes.subarray(0, end), 0o600);
    } catch (error) {
      if (!hasCode(error, 'KNK-FMT-0101') && !hasCode(error, 'KNK-FMT-0102')) throw error;
    }
  }

  /** Waits for a copy under way; call it before the mirror is removed. @returns the first problem, undefined for none */
  async settle(): Promise<unknown> {
    await this.#running;
    return this.#problem;
  }

  /** The conversion is over: an old header must not lie about. */
  async remove(): Promise<void> {
    await this.settle();
    await removeMirror(this.#mirror);
  }
}

export async function removeMirror(path: string): Promise<void> {
  await rm(join(dirname(path), `.${path.slice(dirname(path).length + 1)}.new`), { force: true });
  await removeDurably(path);
}

/** The mirror of a volume's header; undefined when there is none, or none that can be read. */
export async function readMirror(path: string, luksUuid: string | null): Promise<HeaderSource | undefined> {
  try {
    const content = readLuks2Header(await readFile(path)).newest;
    return luksUuid === null || content.uuid === luksUuid ? content : undefined;
  } catch (error) {
    if (error instanceof KannukiError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
