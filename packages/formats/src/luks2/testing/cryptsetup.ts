import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface CryptsetupResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The machine's cryptsetup on plain files: needs no device mapper. */
export function cryptsetup(...args: readonly string[]): CryptsetupResult {
  const environment = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };
  const { status, stdout, stderr, error } = spawnSync('cryptsetup', args, {
    env: environment,
    encoding: 'utf8',
    timeout: 60_000,
  });
  if (error !== undefined) throw error;
  return { status, stdout, stderr };
}

/** A folder of its own for the time of one test. */
export function withFolder(use: (path: (name: string) => string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'kannuki-luks2-'));
  try {
    use((name) => join(folder, name));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
