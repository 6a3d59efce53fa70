import { constants, fdatasyncSync, readSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';

/** What is measured: one outstanding 4 KiB each past the page cache, where latency is all, and long runs through it, which are deep. */
export const workloads = ['random read', 'random write', 'sequential read', 'sequential write'] as const;
export type Workload = (typeof workloads)[number];

const small = 4096;
const large = 1024 * 1024;
/** Written back by one sync: enough to have many requests under way, little enough for a slow processor. */
const burst = 2;
/** TypeScript knows WebAssembly only together with a browser. */
const { WebAssembly } = globalThis as unknown as {
  readonly WebAssembly: {
    readonly Memory: new (pages: { readonly initial: number }) => { readonly buffer: ArrayBuffer };
  };
};
const pageBytes = 65536;

interface OpenFile {
  readonly fd: number;
  close(): Promise<void>;
}

/** One mapping that is measured. The calls are synchronous so that nothing but the kernel's work is timed; a slice is short. */
export class MeasuredDevice implements AsyncDisposable {
  readonly #direct: OpenFile;
  readonly #cached: OpenFile;
  readonly #sizeBytes: number;
  /** Direct I/O wants aligned memory, which a Buffer need not be; memory of WebAssembly begins at a page. */
  readonly #memory = new Uint8Array(new WebAssembly.Memory({ initial: large / pageBytes }).buffer);
  #readAt = 0;
  #writeAt: number;
  #random = 1;

  private constructor(directFile: OpenFile, cachedFile: OpenFile, sizeBytes: number) {
    this.#direct = directFile;
    this.#cached = cachedFile;
    this.#sizeBytes = sizeBytes;
    this.#writeAt = sizeBytes / 2;
  }

  static async open(path: string, sizeBytes: number): Promise<MeasuredDevice> {
    const directFile = await open(path, constants.O_RDWR | constants.O_DIRECT);
    try {
      return new MeasuredDevice(directFile, await open(path, constants.O_RDWR), sizeBytes);
    } catch (error) {
      await directFile.close();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cached.close();
    await this.#direct.close();
  }

  /** Runs a workload for a time, at least once. @returns bytes a second */
  run(workload: Workload, milliseconds: number): number {
    const start = performance.now();
    let bytes = 0;
    do bytes += this.#once(workload);
    while (performance.now() - start < milliseconds);
    return (bytes * 1000) / (performance.now() - start);
  }

  #once(workload: Workload): number {
    switch (workload) {
      case 'random read':
        return readSync(this.#direct.fd, this.#memory, 0, small, this.#anywhere());
      case 'random write':
        return writeSync(this.#direct.fd, this.#memory, 0, small, this.#anywhere());
      case 'sequential read':
        // Never the same place twice: what is in the page cache would not be decrypted again.
        this.#readAt += large;
        return readSync(this.#cached.fd, this.#memory, 0, large, this.#readAt);
      case 'sequential write': {
        let bytes = 0;
        for (let piece = 0; piece < burst; piece++) {
          this.#writeAt += large;
          bytes += writeSync(this.#cached.fd, this.#memory, 0, large, this.#writeAt);
        }
        fdatasyncSync(this.#cached.fd);
        return bytes;
      }
    }
  }

  /** A place in the third quarter of the first half: clear of both sequential runs. */
  #anywhere(): number {
    this.#random = (Math.imul(this.#random, 1664525) + 1013904223) >>> 0;
    return this.#sizeBytes / 4 + (this.#random % (this.#sizeBytes / 4 / small)) * small;
  }
}
