import { createPrivateKey, type KeyObject } from 'node:crypto';
import type { SecretBytes } from '@kannuki/core';
import type { VersionRow } from '../statements.ts';

/** Opens the sealed private key of a row: PKCS #8; disposed after use. */
export type OpenKey = (row: VersionRow) => Promise<SecretBytes>;

interface Usable {
  readonly objectId: number;
  readonly number: number;
  readonly key: Promise<KeyObject>;
  lastUse: number;
}

const mostKeys = 1024;
const idleMilliseconds = 60_000;

/**
 * RSA keys that were opened a moment ago, ready for use: to open and parse one costs more than to use it. They live in
 * OpenSSL's memory, which is cleared when the last reference to a key is collected. A key that was not used for a minute
 * is let go of. The MAC of the row names the key, so a row that was changed in any way is opened anew.
 */
export class PrivateKeys {
  readonly #keys = new Map<string, Usable>();
  readonly #open: OpenKey;
  readonly #onForget: (numbers: readonly number[]) => void;
  readonly #live = new Set<number>();
  #lastNumber = 0;
  #sweep: NodeJS.Timeout | undefined;

  /** @param onForget is told which keys are let go of: workers have them by number */
  constructor(open: OpenKey, onForget: (numbers: readonly number[]) => void) {
    this.#open = open;
    this.#onForget = onForget;
  }

  /** For the workers, who get the key without its bytes crossing. The number is of this key and of no other, ever. */
  async get(row: VersionRow): Promise<{ readonly number: number; readonly object: KeyObject }> {
    const usable = this.#usable(row);
    return { number: usable.number, object: await usable.key };
  }

  /** Whether a key that was handed out has not been let go of since. */
  has(number: number): boolean {
    return this.#live.has(number);
  }

  /** Lets go of the keys of one object, or of all. */
  forget(objectId?: number): void {
    this.#drop(({ objectId: of }) => objectId === undefined || of === objectId);
  }

  #usable(row: VersionRow): Usable {
    const name = Buffer.from(row.mac).toString('latin1');
    const found = this.#keys.get(name);
    if (found !== undefined) {
      found.lastUse = performance.now();
      // The map is in order of use: the first is the one to go.
      this.#keys.delete(name);
      this.#keys.set(name, found);
      return found;
    }
    this.#lastNumber += 1;
    const made: Usable = {
      objectId: row.object.id,
      number: this.#lastNumber,
      key: this.#make(row),
      lastUse: performance.now(),
    };
    this.#keys.set(name, made);
    this.#live.add(made.number);
    made.key.catch(() => this.#drop((key) => key === made));
    const [oldest] = this.#keys.values();
    if (this.#keys.size > mostKeys) this.#drop((key) => key === oldest);
    this.#sweep ??= setInterval(() => {
      const limit = performance.now() - idleMilliseconds;
      this.#drop(({ lastUse }) => lastUse < limit);
    }, idleMilliseconds / 4).unref();
    return made;
  }

  async #make(row: VersionRow): Promise<KeyObject> {
    using privateKey = await this.#open(row);
    const { bytes } = privateKey;
    const key = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
  }

  #drop(isMeant: (key: Usable) => boolean): void {
    const dropped = [...this.#keys].filter(([, key]) => isMeant(key));
    for (const [name, { number }] of dropped) {
      this.#keys.delete(name);
      this.#live.delete(number);
    }
    if (dropped.length > 0) this.#onForget(dropped.map(([, { number }]) => number));
    if (this.#keys.size > 0) return;
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }
}
