import type { ObjectName } from './object-state.ts';
import type { VersionRow } from './statements.ts';

/**
 * Rows that were looked up and checked a moment ago. The database is ours alone while it is open, so a row is what it was
 * until we write to its object; to read and check it anew would cost a tenth of an RSA operation. Holds nothing that is
 * not sealed.
 */
export class RecentRows {
  readonly #objects = new Map<string, Map<string | null, VersionRow>>();
  readonly #most: number;
  #count = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** @param version null for the newest */
  find(collection: string, vault: string, name: string, version: string | null): VersionRow | undefined {
    return this.#objects.get(keyOf(collection, vault, name))?.get(version);
  }

  keep({ collection, vault, name }: ObjectName, version: string | null, row: VersionRow): void {
    // All at once: whatever is in use comes back with its next call.
    if (this.#count >= this.#most) this.clear();
    const key = keyOf(collection, vault, name);
    const rows = this.#objects.get(key) ?? new Map<string | null, VersionRow>();
    this.#objects.set(key, rows.set(version, row));
    this.#count += 1;
  }

  /** What is known of one object is not true any more. */
  forget({ collection, vault, name }: ObjectName): void {
    this.#objects.delete(keyOf(collection, vault, name));
  }

  clear(): void {
    this.#objects.clear();
    this.#count = 0;
  }
}

/** Names compare without regard to letter case, and hold no slash. */
function keyOf(collection: string, vault: string, name: string): string {
  return `${collection}/${vault}/${name}`.toLowerCase();
}
