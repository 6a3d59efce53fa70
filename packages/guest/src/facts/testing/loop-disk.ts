import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '@kannuki/core';

/** A sparse file as a block device, for tests that need a real one. Needs root; all of it is gone at the end of the scope. */
export interface LoopDisk extends AsyncDisposable {
  readonly folder: string;
  /** /dev/loopN. */
  readonly device: string;
  /** Mounts the disk and gives the mount point. */
  mount(...options: readonly string[]): Promise<string>;
}

export async function makeLoopDisk(bytes: number, program: string, ...args: readonly string[]): Promise<LoopDisk> {
  const folder = mkdtempSync(join(tmpdir(), 'kannuki-loop-'));
  const file = join(folder, 'disk.img');
  writeFileSync(file, '');
  truncateSync(file, bytes);
  const device = (await run('losetup', ['--find', '--show', file])).stdout.trim();
  const points: string[] = [];
  const discard = async (): Promise<void> => {
    for (const point of points.toReversed()) await run('umount', ['--lazy', point], { accept: [0, 32] });
    await run('losetup', ['--detach', device]);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await run(program, [...args, device]);
  } catch (error) {
    await discard();
    throw error;
  }
  return {
    folder,
    device,
    mount: async (...options) => {
      const point = join(folder, `mount ${points.length}`);
      mkdirSync(point);
      await run('mount', [...options, device, point]);
      points.push(point);
      return point;
    },
    [Symbol.asyncDispose]: discard,
  };
}
