import { randomBytes, type webcrypto } from 'node:crypto';
import { KannukiError, SecretBytes } from '@kannuki/core';
import type { RootKey } from '../embedded/root-key.ts';
import { importSealingKey, openSealed, sealUnder } from '../embedded/sealed.ts';

export const rootKeyBytes = 32;
export const rootKeyIdBytes = 16;

/** A root key as it is read from its file or made for a new one. */
export interface RawRootKey extends Disposable {
  /** `rootKeyIdBytes` bytes; not secret. */
  readonly id: Uint8Array;
  /** AES-256. */
  readonly key: SecretBytes;
}

export function newRawRootKey(): RawRootKey {
  return rawRootKey(randomBytes(rootKeyIdBytes), SecretBytes.random(rootKeyBytes));
}

/** @param key taken over */
export function rawRootKey(id: Uint8Array, key: SecretBytes): RawRootKey {
  return { id, key, [Symbol.dispose]: () => key[Symbol.dispose]() };
}

/**
 * A root key in use, wherever it came from: a Web Crypto key that cannot be exported, imported once because every
 * value that is opened goes through it. Our own bytes of it are gone by then.
 */
export class MemoryRootKey implements RootKey {
  readonly id: string;
  #key: webcrypto.CryptoKey | undefined;

  private constructor(id: string, key: webcrypto.CryptoKey) {
    this.id = id;
    this.#key = key;
  }

  /** The raw key stays the caller's, who wipes it. */
  static async import({ id, key }: RawRootKey): Promise<MemoryRootKey> {
    return new MemoryRootKey(Buffer.from(id).toString('hex'), await importSealingKey(key));
  }

  async seal(dataKey: SecretBytes, context: Uint8Array): Promise<Uint8Array> {
    return sealUnder(this.#open(), dataKey, context);
  }

  async open(sealed: Uint8Array, context: Uint8Array): Promise<SecretBytes | undefined> {
    return openSealed(this.#open(), sealed, context);
  }

  /** Node wipes the key's memory when the last reference is collected (see `collectGarbage`). */
  close(): void {
    this.#key = undefined;
  }

  #open(): webcrypto.CryptoKey {
    if (this.#key === undefined) throw new KannukiError('KNK-KVT-0027');
    return this.#key;
  }
}
