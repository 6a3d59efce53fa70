const windowMilliseconds = 60_000;
const maximumAddresses = 10_000;

/**
 * Counts failed joins by address. Tokens have 256 random bits, so this does not guard the tokens but the server's time and
 * log. A join with a good token is let in all the same: VMs behind one host share its address, and one of them must not be able to
 * lock the others out.
 */
export class FailedJoins {
  readonly #limit: number;
  readonly #counts = new Map<string, { count: number; since: number }>();

  /** @param limit failures a minute from one address before the answer is 429 */
  constructor(limit = 10) {
    this.#limit = limit;
  }

  /** @returns seconds to wait when this failure is one too many */
  record(address: string, now: number): number | undefined {
    const entry = this.#counts.get(address);
    if (entry === undefined || now - entry.since >= windowMilliseconds) {
      this.#makeRoom(now);
      this.#counts.set(address, { count: 1, since: now });
      return undefined;
    }
    entry.count += 1;
    if (entry.count <= this.#limit) return undefined;
    return Math.ceil((entry.since + windowMilliseconds - now) / 1000);
  }

  /** Memory stays bounded however many addresses knock. */
  #makeRoom(now: number): void {
    if (this.#counts.size < maximumAddresses) return;
    for (const [address, { since }] of this.#counts) {
      if (now - since >= windowMilliseconds) this.#counts.delete(address);
    }
    const [oldest] = this.#counts.keys();
    if (this.#counts.size >= maximumAddresses && oldest !== undefined) this.#counts.delete(oldest);
  }
}
