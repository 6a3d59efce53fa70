import { constants } from 'node:fs';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { KannukiError, type Run } from '@kannuki/core';

/**
 * Locks between the runs of Kannuki on one machine: one a volume, held as long as an operation works on it (REQ-110), and one for
 * what the volumes share (choosing names, fstab, crypttab), held for a moment. Each is an flock(2) on a file of ours:
 * flock(1) takes it on the descriptor that it inherits, and the kernel frees it when this process ends, however it ends.
 * Order: the shared one may be waited for with a volume's held, never the other way round.
 */
export class Locks {
  readonly #folder: string;
  readonly #run: Run;

  constructor(runtimeFolder: string, run: Run) {
    this.#folder = join(runtimeFolder, 'locks');
    this.#run = run;
  }

  /** @throws KannukiError KNK-VOL-0002 at once when another run works on the volume */
  async volume(name: string): Promise<HeldLock> {
    return this.#take(`volume-${name}`, name, ['--nonblock']);
  }

  /** @throws KannukiError KNK-VOL-0002 when another run holds it for longer than any change to the files takes */
  async shared(): Promise<HeldLock> {
    return this.#take('shared', 'fstab, crypttab', ['--timeout', String(sharedWaitSeconds)]);
  }

  async #take(file: string, what: string, wait: readonly string[]): Promise<HeldLock> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const handle = await open(join(this.#folder, `${file}.lock`), constants.O_RDWR | constants.O_CREAT, 0o600);
    try {
      const { exitCode } = await this.#run('flock', ['--exclusive', ...wait, '3'], {
        descriptors: [handle.fd],
        accept: [0, 1],
        timeoutSeconds: 2 * sharedWaitSeconds,
      });
      if (exitCode === 1) throw new KannukiError('KNK-VOL-0002', { details: { what } });
    } catch (error) {
      await handle.close();
      throw error;
    }
    return new HeldLock(handle);
  }
}

/** What is done under it may include making an initramfs and looking how far a large file system can shrink. */
const sharedWaitSeconds = 1800;

export class HeldLock implements AsyncDisposable {
  readonly #file: FileHandle;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** For programs that go on should this process be killed: the lock is free when the last of them has ended. */
  get descriptor(): number {
    return this.#file.fd;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}
