import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

/** Parameters of scrypt (RFC 7914). N = 2^15, r = 8: 32 MiB and about 80 ms a run. */
export interface ScryptParameters {
  readonly cost: number;
  readonly blockSize: number;
  readonly parallelization: number;
}

export interface SecretHash extends ScryptParameters {
  readonly hash: Uint8Array;
  readonly salt: Uint8Array;
}

export const defaultScryptParameters: ScryptParameters = { cost: 2 ** 15, blockSize: 8, parallelization: 1 };

const hashBytes = 32;
/** Two runs hold 64 MiB and half of the thread pool; the other half is left for signatures and files. */
const defaultConcurrent = 2;
/** Who would be further behind than this waits longer than a client does. */
const defaultWaiting = 100;

/**
 * Runs scrypt off the event loop, a few at a time, so that a storm of logins costs a bounded amount of memory. Every check
 * costs exactly one run: where there is no hash to compare with, a made-up one takes its place.
 */
export class SecretHasher {
  readonly #parameters: ScryptParameters;
  readonly #concurrent: number;
  readonly #maximumWaiting: number;
  readonly #waiting: (() => void)[] = [];
  readonly #nobody: SecretHash;
  #running = 0;
  #runs = 0;

  constructor(options: {
    readonly parameters?: ScryptParameters;
    readonly concurrent?: number;
    readonly waiting?: number;
  }) {
    this.#parameters = options.parameters ?? defaultScryptParameters;
    this.#concurrent = options.concurrent ?? defaultConcurrent;
    this.#maximumWaiting = options.waiting ?? defaultWaiting;
    this.#nobody = { ...this.#parameters, hash: randomBytes(hashBytes), salt: randomBytes(16) };
  }

  /** How often scrypt ran so far. */
  get runs(): number {
    return this.#runs;
  }

  async hash(secret: Uint8Array): Promise<SecretHash> {
    const salt = randomBytes(16);
    await this.#enter();
    return { ...this.#parameters, hash: await this.#run(secret, salt, this.#parameters), salt };
  }

  /**
   * @param stored undefined where nobody is known by that name: costs the same and is never true
   * @returns `busy` where too many wait already
   */
  async matches(secret: Uint8Array, stored: SecretHash | undefined): Promise<boolean | 'busy'> {
    const against = stored ?? this.#nobody;
    if (this.#running >= this.#concurrent && this.#waiting.length >= this.#maximumWaiting) return 'busy';
    await this.#enter();
    const hash = await this.#run(secret, against.salt, against);
    const same = hash.length === against.hash.length && timingSafeEqual(hash, against.hash);
    return same && stored !== undefined;
  }

  async #enter(): Promise<void> {
    if (this.#running < this.#concurrent) {
      this.#running += 1;
      return;
    }
    // The one that ends hands its place on, so `#running` stays as it is.
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Behind `#enter`; leaves the place at the end. */
  async #run(
    secret: Uint8Array,
    salt: Uint8Array,
    { cost, blockSize, parallelization }: ScryptParameters,
  ): Promise<Uint8Array> {
    this.#runs += 1;
    try {
      const options = { cost, blockSize, parallelization, maxmem: 128 * cost * blockSize * 2 };
      return await new Promise<Uint8Array>((resolve, reject) => {
        scrypt(secret, salt, hashBytes, options, (error, key) => (error === null ? resolve(key) : reject(error)));
      });
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
