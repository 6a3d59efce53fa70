import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import type { SecretBytes } from '@kannuki/core';
import { bindFields } from '../embedded/sealed.ts';

/**
 * The key that the MACs of an audit log are made with. Derived from the vault's keys, so that only who holds the root key
 * can make or check them: `EmbeddedVaults.derivedKey('kannuki audit 1')`. It opens nothing.
 */
export class ChainKey implements Disposable {
  /** Node prepares a key of bytes anew for each HMAC, which takes six times as long as the HMAC. */
  #key: KeyObject | undefined;

  /** @param key 32 bytes; taken over and wiped. The copy inside Node is wiped when it is collected. */
  constructor(key: SecretBytes) {
    this.#key = createSecretKey(key.bytes);
    key[Symbol.dispose]();
  }

  /** HMAC-SHA-256, 64 hexadecimal digits; one purpose's MACs are never another's. */
  mac(purpose: 'line' | 'anchor', fields: readonly (string | number | Uint8Array)[]): string {
    if (this.#key === undefined) throw new Error('the chain key was used after it was disposed');
    return createHmac('sha256', this.#key)
      .update(bindFields(['kannuki audit 1', purpose, ...fields]))
      .digest('hex');
  }

  [Symbol.dispose](): void {
    this.#key = undefined;
  }
}
