/** How far the work may run ahead of its rate: less, and the starts and stops would take more time than the work. */
const burstSeconds = 4;
/** One piece of cryptsetup's is 16 MiB, and it stops only between two. */
const smallestBurstBytes = 64 * 1024 * 1024;

/**
 * Holds work to an average rate by saying when it is to stop and for how long: cryptsetup has no limit of its own, and a
 * program that is held by a signal in the middle of a piece would hold up whoever reads there.
 */
export class RateLimit {
  readonly #bytesPerSecond: number;
  readonly #start: number;
  #bytes = 0;

  /** @param now ms, monotonic */
  constructor(bytesPerSecond: number, now: number) {
    this.#bytesPerSecond = bytesPerSecond;
    this.#start = now;
  }

  get bytesPerSecond(): number {
    return this.#bytesPerSecond;
  }

  /** @returns ms that the work has to rest now; 0: it may go on */
  worked(bytes: number, now: number): number {
    this.#bytes += bytes;
    const aheadBytes = this.#bytes - (this.#bytesPerSecond * (now - this.#start)) / 1000;
    const burst = Math.max(smallestBurstBytes, this.#bytesPerSecond * burstSeconds);
    return aheadBytes < burst ? 0 : (aheadBytes / this.#bytesPerSecond) * 1000;
  }
}
