import { bytesOf, nullable, numberOf, textOf } from './columns.ts';
import type { ServerDatabase } from './database.ts';

interface StoredToken {
  readonly vmId: string;
  /** SHA-256. */
  readonly hash: Uint8Array;
  /** Milliseconds. */
  readonly expiresAt: number;
  readonly usedAt: number | null;
}

export class JoinTokenStore {
  readonly #database: ServerDatabase;

  constructor(database: ServerDatabase) {
    this.#database = database;
  }

  /** Adds a token and removes every other one of its VM. */
  replace(token: Omit<StoredToken, 'usedAt'>): void {
    this.#database.transaction(() => {
      this.#database.change('DELETE FROM join_tokens WHERE vm_id = ?', token.vmId);
      this.#database.change(
        'INSERT INTO join_tokens (hash, hash_start, vm_id, expires_at) VALUES (?, ?, ?, ?)',
        token.hash,
        token.hash.subarray(0, 8),
        token.vmId,
        token.expiresAt,
      );
    });
  }

  /** @param start the first eight bytes of the hash */
  candidates(start: Uint8Array): readonly StoredToken[] {
    return this.#database.all('SELECT * FROM join_tokens WHERE hash_start = ?', start).map((row) => ({
      vmId: textOf(row, 'vm_id'),
      hash: bytesOf(row, 'hash'),
      expiresAt: numberOf(row, 'expires_at'),
      usedAt: nullable(row, 'used_at', numberOf),
    }));
  }

  /** @returns false where it was used before: only one caller ever gets true */
  markUsed(hash: Uint8Array, now: number): boolean {
    return (
      this.#database.change('UPDATE join_tokens SET used_at = ? WHERE hash = ? AND used_at IS NULL', now, hash) === 1
    );
  }
}
