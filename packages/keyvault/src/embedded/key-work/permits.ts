import { availableParallelism } from 'node:os';
import { env } from 'node:process';
import { KannukiError } from '@kannuki/core';

/** Threads of the pool that Web Crypto, key generation and file access share (libuv's default is 4). */
const poolThreads = Number(env.UV_THREADPOOL_SIZE ?? 4) || 4;

/**
 * How many private operations may be in the thread pool at once: about one a core, and never all threads, so that
 * another's fsync or read does not queue behind them.
 */
export const privateOperations = Math.max(2, Math.min(availableParallelism(), poolThreads - 2));

/** Lets a fixed number of operations run at once; the others wait in order, up to a bound. */
export class Permits {
  readonly #waiting: (() => void)[] = [];
  readonly #longestQueue: number;
  #free: number;

  constructor(number: number, longestQueue: number) {
    this.#free = number;
    this.#longestQueue = longestQueue;
  }

  /** @throws KannukiError KNK-KVT-0028 where too many wait already */
  async run<Result>(operation: () => Promise<Result>): Promise<Result> {
    if (this.#free > 0) this.#free -= 1;
    else {
      if (this.#waiting.length >= this.#longestQueue) {
        throw new KannukiError('KNK-KVT-0028', { details: { vault: 'of this server', seconds: 1 } });
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    try {
      return await operation();
    } finally {
      // The permit goes from hand to hand, so that nobody gets in between.
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}
