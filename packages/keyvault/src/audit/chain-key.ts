import { createHmac } from 'node:crypto';
import type { SecretBytes } from '@kannuki/core';
import { bindFields } from '../embedded/sealed.ts';

/**
 * The key that the MACs of an audit log are made with. Derived from the vault's keys, so that only who holds the root key
 * can make or check them: `EmbeddedVaults.derivedKey('kannuki audit 1')`.
 */
export class ChainKey implements Disposable {
  readonly #key: SecretBytes;

  /** @param key 32 bytes; taken over */
  constructor(key: SecretBytes) {
    this.#key = key;
  }

  /** HMAC-SHA-256, 64 hexadecimal digits; one purpose's MACs are never another's. */
  mac(purpose: 'line' | 'anchor', fields: readonly (string | number | Uint8Array)[]): string {
    return createHmac('sha256', this.#key.bytes)
      .update(bindFields(['kannuki audit 1', purpose, ...fields]))
      .digest('hex');
  }

  [Symbol.dispose](): void {
    this.#key[Symbol.dispose]();
  }
}
