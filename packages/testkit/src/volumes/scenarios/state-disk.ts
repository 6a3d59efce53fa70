import { cpSync, mkdirSync } from 'node:fs';
import { run } from '@kannuki/core';

const disk = '/dev/ubda';

/** What an OS disk holds: /etc and /var/lib on a disk that outlives the machine. */
async function makeStateDisk(): Promise<void> {
  await run('mkfs.ext4', ['-q', disk]);
  await mountIt();
  cpSync('/etc', '/run/state/etc', { recursive: true, verbatimSymlinks: true });
  mkdirSync('/run/state/lib');
}

export async function bootStateDisk(isFirst: boolean): Promise<void> {
  if (isFirst) await makeStateDisk();
  else await mountIt();
  await run('mount', ['--bind', '/run/state/etc', '/etc']);
  await run('mount', ['--bind', '/run/state/lib', '/var/lib']);
}

async function mountIt(): Promise<void> {
  mkdirSync('/run/state', { recursive: true });
  await run('mount', ['-t', 'ext4', disk, '/run/state']);
}
