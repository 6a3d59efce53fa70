import { mkdir, readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hasCode, KannukiError, removeDurably, writeFileDurably } from '@kannuki/core';
import { type HeaderSource, readLuks2Header } from '@kannuki/formats';
import { readHeaderFile } from '../volumes/header-file.ts';
import { type EnginePaths, headerFolder, headerPath, mirrorPath } from '../volumes/paths.ts';

/**
 * Begins a mirror for a conversion, with a first copy.
 * @returns undefined where there is no second place: the folder lies on the same device as the header, or cannot be written
 */
export async function beginMirror(paths: EnginePaths, volume: string): Promise<HeaderMirror | undefined> {
  const [here, there] = await Promise.all([headerFolder(paths), paths.mirrors].map(deviceBelow));
  if (here === there) return undefined;
  const mirror = new HeaderMirror(headerPath(paths, volume), mirrorPath(paths, volume));
  mirror.onProgress();
  return (await mirror.settle()) === undefined ? mirror : undefined;
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

  /** Waits for a copy under way. @returns the first problem so far, undefined for none */
  async settle(): Promise<unknown> {
    await this.#running;
    return this.#problem;
  }
}

/** Also of a run that a power cut has ended. */
export async function removeMirror(path: string): Promise<void> {
  try {
    await removeDurably(path);
  } catch (error) {
    // A /boot that has become read-only: the mirror is older than the record then, and counts for nothing.
    if ((error as NodeJS.ErrnoException).code !== 'EROFS') throw error;
  }
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
