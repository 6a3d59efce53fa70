import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { formatJoinToken, parseJoinToken } from '@kannuki/core';
import type { JoinTokenStore } from '../storage/join-token-store.ts';

/**
 * One-time tokens for joining. Only a hash is kept, so that the database file admits nobody; SHA-256 and not scrypt,
 * because what is hashed are 256 random bits, which no one can guess, slowly or fast.
 */
export class JoinTokens {
  readonly #store: JoinTokenStore;
  readonly #authorityFingerprint: string;

  constructor(store: JoinTokenStore, authorityFingerprint: string) {
    this.#store = store;
    this.#authorityFingerprint = authorityFingerprint;
  }

  /** A new token for a VM; all its earlier ones stop to work. */
  issue(vmId: string, lifeSeconds: number, now: number): string {
    const secret = randomBytes(32).toString('base64url');
    this.#store.replace({ vmId, hash: hashOf(secret), expiresAt: now + lifeSeconds * 1000 });
    return formatJoinToken({ secret, authorityFingerprint: this.#authorityFingerprint });
  }

  /** The VM that could join with the token now; only `use` makes sure of it. */
  vmOf(token: string, now: number): string | undefined {
    const hash = this.#hashOfToken(token);
    return hash === undefined ? undefined : this.#find(hash, now);
  }

  /**
   * Takes the token for good. Call it inside the transaction that records what the token was used for.
   * @returns the VM that may join with it; undefined where it is unknown, used or too old
   */
  use(token: string, now: number): string | undefined {
    const hash = this.#hashOfToken(token);
    const found = hash === undefined ? undefined : this.#find(hash, now);
    if (hash === undefined || found === undefined) return undefined;
    return this.#store.markUsed(hash, now) ? found : undefined;
  }

  #hashOfToken(token: string): Buffer | undefined {
    const parsed = parseJoinToken(token);
    return parsed === undefined ? undefined : hashOf(parsed.secret);
  }

  /** The index narrows by the first bytes of the hash; the whole of it is compared in constant time. */
  #find(hash: Buffer, now: number): string | undefined {
    const candidate = this.#store
      .candidates(hash.subarray(0, 8))
      .find((one) => one.hash.length === hash.length && timingSafeEqual(one.hash, hash));
    if (candidate === undefined || candidate.usedAt !== null || candidate.expiresAt <= now) return undefined;
    return candidate.vmId;
  }
}

function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret, 'latin1').digest();
}
