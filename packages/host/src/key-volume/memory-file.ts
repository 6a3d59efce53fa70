import { closeSync, constants, ftruncateSync, openSync, statfsSync, writeSync } from 'node:fs';
import { KannukiError } from '@kannuki/core';

/** Where memory-only files live on Linux. */
const folder = '/dev/shm';
/** TMPFS_MAGIC of linux/magic.h. */
const tmpfsMagic = 0x01021994;
/** O_TMPFILE of asm-generic/fcntl.h with O_DIRECTORY in it; Node has no name for it. */
const unnamed = 0o20200000;
const zeroes = new Uint8Array(64 * 1024);

/**
 * Opens an empty file in RAM that has no name and can never get one (O_TMPFILE with O_EXCL): it ends with the last
 * process that has it open. The caller closes the descriptor.
 * Pages of tmpfs can be swapped out: run the server with MemorySwapMax=0, as its unit does, or without swap.
 * @throws KannukiError KNK-HST-0012 when /dev/shm is not a tmpfs
 */
export function openMemoryFile(): number {
  try {
    if (statfsSync(folder).type !== tmpfsMagic) throw new Error(`${folder} is not a tmpfs`);
    return openSync(folder, unnamed | constants.O_RDWR | constants.O_EXCL, 0o600);
  } catch (error) {
    throw new KannukiError('KNK-HST-0012', {
      details: { detail: error instanceof Error ? error.message : String(error) },
      cause: error,
    });
  }
}

/** Fills an open memory file from its start. */
export function fillMemoryFile(descriptor: number, bytes: Uint8Array): void {
  try {
    let done = 0;
    while (done < bytes.length) done += writeSync(descriptor, bytes, done, bytes.length - done, done);
  } catch (error) {
    throw new KannukiError('KNK-HST-0012', { details: { detail: 'no room in /dev/shm' }, cause: error });
  }
}

/** Overwrites the content with zeroes, then gives the memory back. */
export function wipeMemoryFile(descriptor: number, sizeBytes: number): void {
  for (let done = 0; done < sizeBytes; ) {
    done += writeSync(descriptor, zeroes, 0, Math.min(zeroes.length, sizeBytes - done), done);
  }
  ftruncateSync(descriptor, 0);
}

/** A memory file that has a content already; for handing something to a process that starts. */
export class MemoryFile implements Disposable {
  readonly descriptor: number;
  readonly #sizeBytes: number;

  constructor(content: Uint8Array = new Uint8Array()) {
    this.descriptor = openMemoryFile();
    this.#sizeBytes = content.length;
    try {
      fillMemoryFile(this.descriptor, content);
    } catch (error) {
      closeSync(this.descriptor);
      throw error;
    }
  }

  /** Zeroes what every process sees that still has the file open. */
  wipe(): void {
    wipeMemoryFile(this.descriptor, this.#sizeBytes);
  }

  [Symbol.dispose](): void {
    closeSync(this.descriptor);
  }
}
