import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { KannukiError } from '@kannuki/core';

/**
 * Holds an exclusive lock on a file for the time of an action, against other processes too. The lock is the kernel's
 * (flock(2), held by flock(1)), so it ends with the process that holds it and a crash leaves nothing to clean up.
 */
export async function withLock<Result>(
  path: string,
  waitSeconds: number,
  action: () => Promise<Result>,
): Promise<Result> {
  const holder = spawn(
    '/usr/bin/flock',
    ['--exclusive', '--wait', String(waitSeconds), path, 'sh', '-c', 'echo locked && exec cat >/dev/null'],
    { stdio: ['pipe', 'pipe', 'ignore'] },
  );
  const ended = once(holder, 'close');
  // The error of a spawn that fails comes out of `ended`; nobody may be waiting for it yet.
  ended.catch(() => undefined);
  try {
    const first = await Promise.race([once(holder.stdout, 'data'), ended]);
    if (holder.exitCode !== null || first.length === 0) {
      throw new KannukiError('KNK-HST-0008', { details: { command: `flock ${path}`, seconds: waitSeconds } });
    }
    return await action();
  } finally {
    holder.stdin.end();
    holder.stdin.on('error', () => undefined);
    await ended.catch(() => undefined);
  }
}
