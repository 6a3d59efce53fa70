import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KannukiError, makeDirectoryDurably, removeDurably, writeFileDurably } from '@kannuki/core';
import type { EnginePaths } from '../paths.ts';

/** How fast the owner lets a volume be worked on. */
export interface PaceSetting {
  readonly paused: boolean;
  /** Bytes a second, on average; null: as fast as it goes. */
  readonly maximumRate: number | null;
}

export const fullPace: PaceSetting = { paused: false, maximumRate: null };

/** Below it a conversion would never end, and a piece of 16 MiB would take minutes. */
export const smallestRate = 1024 * 1024;
export const largestRate = 1024 ** 4;

/**
 * The owner's wish for the pace of a volume, one file each: written by whichever command the owner gives, read by the run that
 * works on the volume. Not in the journal, which only that run writes. Durable: a pause outlives a reboot.
 */
export class PaceFile {
  readonly #folder: string;

  constructor(paths: EnginePaths) {
    this.#folder = join(paths.state, 'pace');
  }

  async read(volume: string): Promise<PaceSetting> {
    let text: string;
    try {
      text = await readFile(this.#path(volume), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return fullPace;
      throw error;
    }
    return parsePace(text, this.#path(volume));
  }

  async write(volume: string, setting: PaceSetting): Promise<void> {
    if (!setting.paused && setting.maximumRate === null) {
      await removeDurably(this.#path(volume));
      return;
    }
    await makeDirectoryDurably(this.#folder, 0o700);
    await writeFileDurably(this.#path(volume), `${JSON.stringify(setting)}\n`, 0o600);
  }

  #path(volume: string): string {
    return join(this.#folder, `${volume}.json`);
  }
}

function parsePace(text: string, path: string): PaceSetting {
  try {
    const { paused, maximumRate } = (JSON.parse(text) ?? {}) as Partial<PaceSetting>;
    const rateIsSound =
      maximumRate === null ||
      (typeof maximumRate === 'number' && maximumRate >= smallestRate && maximumRate <= largestRate);
    if (typeof paused === 'boolean' && rateIsSound) return { paused, maximumRate };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new KannukiError('KNK-VOL-0001', { details: { path } });
}
