import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConversionProgress } from './conversion-progress.ts';

export interface ProgressReport extends ConversionProgress {
  readonly volume: string;
}

/** A report older than this is of a conversion that no longer runs. */
const staleMilliseconds = 15_000;

/**
 * The speed of a running conversion, for `disk list` in another process. How much is done is never taken from here: the
 * header tells that. In a folder below /run, so nothing is durable and nothing is left after a reboot.
 */
export class ProgressFile {
  readonly #folder: string;

  constructor(runtimeFolder: string) {
    this.#folder = join(runtimeFolder, 'progress');
  }

  write(report: ProgressReport): void {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const path = this.#path(report.volume);
    writeFileSync(`${path}.new`, JSON.stringify({ ...report, at: Date.now() }), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }

  read(volume: string): Pick<ProgressReport, 'bytesPerSecond' | 'etaSeconds'> | undefined {
    let report: ProgressReport & { readonly at: number };
    try {
      report = JSON.parse(readFileSync(this.#path(volume), 'utf8')) as ProgressReport & { readonly at: number };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    return Date.now() - report.at > staleMilliseconds ? undefined : report;
  }

  remove(volume: string): void {
    rmSync(this.#path(volume), { force: true });
  }

  #path(volume: string): string {
    return join(this.#folder, `${volume}.json`);
  }
}
