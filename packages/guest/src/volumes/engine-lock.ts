import { constants } from 'node:fs';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { KannukiError, type Run } from '@kannuki/core';

/**
 * Only one engine works at a time on a machine (REQ-110). The lock is an flock(2) on a file of ours: flock(1) takes
 * it on the descriptor that it inherits, and the kernel frees it when this process ends, however it ends.
 * @throws KannukiError KNK-VOL-0002 at once when another engine holds it
 */
export async function takeEngineLock(runtimeFolder: string, run: Run): Promise<AsyncDisposable> {
  await mkdir(runtimeFolder, { recursive: true, mode: 0o700 });
  const path = join(runtimeFolder, 'engine.lock');
  const file = await open(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  try {
    const { exitCode } = await run('flock', ['--exclusive', '--nonblock', '3'], {
      descriptors: [file.fd],
      accept: [0, 1],
    });
    if (exitCode === 1) throw new KannukiError('KNK-VOL-0002', { details: { path } });
  } catch (error) {
    await file.close();
    throw error;
  }
  return new HeldLock(file);
}

class HeldLock implements AsyncDisposable {
  readonly #file: FileHandle;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}
