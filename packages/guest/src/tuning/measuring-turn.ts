import { constants } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Run } from '@kannuki/core';

/** Longer than one measurement takes, and short enough to be waited for. */
const waitSeconds = 20;

/**
 * One measurement at a time on a machine: two would take each other's mappings away, and measure each other. An flock(2) that
 * the kernel frees when this process ends, however it ends.
 * @throws KannukiError KNK-CMD-0001 when another one holds it for too long
 */
export async function takeMeasuringTurn(runtimeFolder: string, run: Run): Promise<AsyncDisposable> {
  await mkdir(runtimeFolder, { recursive: true, mode: 0o700 });
  const file = await open(join(runtimeFolder, 'tuning.lock'), constants.O_RDWR | constants.O_CREAT, 0o600);
  try {
    await run('flock', ['--exclusive', '--timeout', String(waitSeconds), '3'], {
      descriptors: [file.fd],
      timeoutSeconds: 2 * waitSeconds,
    });
  } catch (error) {
    await file.close();
    throw error;
  }
  return { [Symbol.asyncDispose]: () => file.close() };
}
