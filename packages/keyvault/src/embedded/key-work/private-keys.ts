import { createPrivateKey, type KeyObject, subtle, type webcrypto } from 'node:crypto';
import type { SecretBytes } from '@kannuki/core';
import { ownBytes } from '../own-bytes.ts';
import type { VersionRow } from '../statements.ts';

/** Hashes of OAEP, as Web Crypto names them. */
export type OaepHash = 'SHA-1' | 'SHA-256';

/** Opens the sealed private key of a row: PKCS #8; disposed after use. */
export type OpenKey = (row: VersionRow) => Promise<SecretBytes>;

interface Usable {
  readonly objectId: number;
  readonly key: Promise<webcrypto.CryptoKey | KeyObject>;
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
  #sweep: NodeJS.Timeout | undefined;

  constructor(open: OpenKey) {
    this.#open = open;
  }

  /** For Web Crypto: on its thread pool, and not extractable. */
  oaep(row: VersionRow, hash: OaepHash): Promise<webcrypto.CryptoKey> {
    return this.#usable(row, hash, async (privateKey) =>
      subtle.importKey('pkcs8', ownBytes(privateKey.bytes), { name: 'RSA-OAEP', hash }, false, ['decrypt']),
    ) as Promise<webcrypto.CryptoKey>;
  }

  /** For the workers, who get the key without its bytes crossing. */
  keyObject(row: VersionRow): Promise<KeyObject> {
    return this.#usable(row, 'object', async ({ bytes }) => {
      const key = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
      return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
    }) as Promise<KeyObject>;
  }

  /** Lets go of the keys of one object, or of all. */
  forget(objectId?: number): void {
    if (objectId === undefined) this.#keys.clear();
    for (const [name, key] of this.#keys) if (key.objectId === objectId) this.#keys.delete(name);
    this.#stopWhenEmpty();
  }

  #usable(
    row: VersionRow,
    kind: string,
    make: (privateKey: SecretBytes) => Promise<webcrypto.CryptoKey | KeyObject>,
  ): Promise<webcrypto.CryptoKey | KeyObject> {
    const name = `${kind} ${Buffer.from(row.mac).toString('latin1')}`;
    const found = this.#keys.get(name);
    if (found !== undefined) {
      found.lastUse = performance.now();
      // The map is in order of use: the first is the one to go.
      this.#keys.delete(name);
      this.#keys.set(name, found);
      return found.key;
    }
    const key = this.#make(row, make);
    this.#keys.set(name, { objectId: row.object.id, key, lastUse: performance.now() });
    key.catch(() => this.#keys.delete(name));
    const [oldest] = this.#keys.keys();
    if (this.#keys.size > mostKeys && oldest !== undefined) this.#keys.delete(oldest);
    this.#sweep ??= setInterval(() => this.#letGoOfIdle(), idleMilliseconds / 4).unref();
    return key;
  }

  async #make(
    row: VersionRow,
    make: (privateKey: SecretBytes) => Promise<webcrypto.CryptoKey | KeyObject>,
  ): Promise<webcrypto.CryptoKey | KeyObject> {
    using privateKey = await this.#open(row);
    return await make(privateKey);
  }

  #letGoOfIdle(): void {
    const limit = performance.now() - idleMilliseconds;
    for (const [name, { lastUse }] of this.#keys) if (lastUse < limit) this.#keys.delete(name);
    this.#stopWhenEmpty();
  }

  #stopWhenEmpty(): void {
    if (this.#keys.size > 0) return;
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }
}
