import { KannukiError } from '@kannuki/core';
import type { ObjectCollection } from '../object-id.ts';
import type { Page, PageRequest } from '../service/model.ts';
import type { VaultTerms } from '../service/vault-objects.ts';
import { mostBackedUpVersions, readBackup, writeBackup } from './backup-blob.ts';
import { notFound } from './object-changes.ts';
import { assertName, assertPage, wrongParameter } from './object-checks.ts';
import { type ObjectName, type ObjectState, plainState } from './object-state.ts';
import type { VersionRow } from './statements.ts';
import type { VaultContext } from './vault-context.ts';

const dayMilliseconds = 86_400_000;

/** What the versions of an object become when they are back, given the newest (REQ-343). */
type RestoredState = (policy: string | null, newest: { createdAt: number; attributes: string }) => ObjectState;
/** What has to be done before the versions of an object are removed; may refuse by throwing. */
export type BeforePurge = (rows: readonly VersionRow[]) => Promise<void>;

/** What keys and secrets of one vault have in common: found, listed, deleted, recovered, purged, backed up, restored. */
export class ObjectLifecycle {
  readonly #context: VaultContext;
  readonly #vault: string;
  readonly #collection: ObjectCollection;
  readonly #beforePurge: BeforePurge;

  constructor(context: VaultContext, vault: string, collection: ObjectCollection, beforePurge: BeforePurge) {
    this.#context = context;
    this.#vault = vault;
    this.#collection = collection;
    this.#beforePurge = beforePurge;
  }

  /** @throws KannukiError KNK-KVT-0022 for what is no name */
  named(name: string): ObjectName {
    assertName(name, this.#collection);
    return { collection: this.#collection, vault: this.#vault, name };
  }

  /** @param version null for the newest @throws KannukiError KNK-KVT-0003, 0022 */
  row(name: string, version: string | null): VersionRow {
    const of = this.named(name);
    const row = this.#context.store.find(this.#collection, this.#vault, name, version?.toLowerCase() ?? null);
    if (row === undefined) throw notFound(version === null ? of : { ...of, name: `${name}/${version.slice(0, 64)}` });
    return row;
  }

  /** Before work that is in vain where a deleted object holds the name. @throws KannukiError KNK-KVT-0021 */
  assertFree(of: ObjectName): void {
    const object = this.#context.store.findObject(of.collection, of.vault, of.name);
    if (object === undefined || object.state.deletedAt === null) return;
    const reason = 'a deleted one has that name, and it is recoverable';
    throw new KannukiError('KNK-KVT-0021', { details: { object: `${of.collection}/${of.name}`, reason } });
  }

  page(page: PageRequest, which: 'live' | 'deleted'): Page<VersionRow> {
    assertPage(page);
    const after = page.after === null ? '' : decoded(page.after);
    const rows = this.#context.store.rows(this.#collection, ({ livePage, deletedPage }) =>
      (which === 'live' ? livePage : deletedPage).all(this.#vault, after, page.limit + 1),
    );
    return paged(rows, page.limit, ({ fields }) => fields.name);
  }

  /** Oldest first. */
  versions(name: string, page: PageRequest): Page<VersionRow> {
    assertPage(page);
    const of = this.named(name);
    const after = page.after === null ? 0 : Number(decoded(page.after));
    if (!Number.isSafeInteger(after)) throw wrongParameter('$skiptoken', 'it is not one of ours');
    const object = this.#context.store.findObject(of.collection, of.vault, of.name);
    if (object === undefined || object.state.deletedAt !== null) throw notFound(of);
    const rows = this.#context.store.rows(this.#collection, ({ versionPage }) =>
      versionPage.all(this.#vault, name, after, page.limit + 1),
    );
    return paged(rows, page.limit, ({ fields }) => String(fields.sequence));
  }

  async delete(name: string, { retentionDays }: VaultTerms): Promise<VersionRow> {
    const of = this.named(name);
    if (!Number.isInteger(retentionDays) || retentionDays < 7 || retentionDays > 90) {
      throw wrongParameter('softDeleteRetentionInDays', 'it is 7 to 90 days');
    }
    await this.#context.changes.setState(of, ({ id, state }) => {
      if (state.deletedAt !== null) throw notFound(of);
      this.#forget(id);
      const deletedAt = this.#context.now();
      return { ...state, deletedAt, purgeAt: deletedAt + retentionDays * dayMilliseconds };
    });
    return this.deleted(name);
  }

  /** The newest version of a deleted object. @throws KannukiError KNK-KVT-0003 */
  deleted(name: string): VersionRow {
    const of = this.named(name);
    const row = this.#context.store.findAny(this.#collection, this.#vault, name, null);
    if (row === undefined || row.object.state.deletedAt === null) throw notFound(of);
    return row;
  }

  async recover(name: string): Promise<VersionRow> {
    const of = this.named(name);
    await this.#context.changes.setState(of, ({ state }) => {
      if (state.deletedAt === null) throw notFound(of);
      return { ...state, deletedAt: null, purgeAt: null };
    });
    return this.row(name, null);
  }

  /** @throws KannukiError KNK-KVT-0025 before its date where purge protection is on (REQ-352) */
  async purge(name: string, { purgeProtection }: VaultTerms): Promise<void> {
    await this.#purge(this.named(name), (purgeAt) => {
      if (!purgeProtection || this.#context.now() >= purgeAt) return;
      const object = `${this.#collection}/${name}`;
      const date = new Date(purgeAt).toISOString();
      throw new KannukiError('KNK-KVT-0025', {
        details: { object, date, reason: 'the vault is protected from purging' },
      });
    });
    this.#context.store.emptyLog();
  }

  /** For the timer: REQ-354. Recovered meanwhile, or not due any more: stays. */
  async purgeDue(name: string, now: number): Promise<void> {
    const of = this.named(name);
    await this.#purge(of, (purgeAt) => {
      if (purgeAt > now) throw notFound(of);
    });
  }

  #forget(objectId: number): void {
    if (this.#collection === 'keys') this.#context.work.forget(objectId);
  }

  #purge(of: ObjectName, check: (purgeAt: number) => void): Promise<void> {
    return this.#context.changes.purge(of, async ({ id, state }, rows) => {
      check(state.purgeAt ?? Number.POSITIVE_INFINITY);
      this.#forget(id);
      await this.#beforePurge(rows);
    });
  }

  /** @throws KannukiError KNK-KVT-0022 for more than 500 versions */
  async backup(name: string, mayLeave: BeforePurge): Promise<Uint8Array> {
    const { store } = this.#context;
    const of = this.named(name);
    // The number of versions, as none is ever removed alone.
    if ((store.findObject(this.#collection, this.#vault, name)?.sequence ?? 0) > mostBackedUpVersions) {
      throw wrongParameter(`${this.#collection}/${name}`, `it has more than ${mostBackedUpVersions} versions`);
    }
    const rows = store.versions(this.#collection, this.#vault, name);
    const [first] = rows;
    if (first === undefined) throw notFound(of);
    await mayLeave(rows);
    using values = new DisposableStack();
    const versions = [];
    for (const row of rows) {
      const value = values.use(await store.openValue(row));
      const { version, createdAt, attributes } = row.fields;
      versions.push({ version, createdAt, attributes, value });
    }
    const { policy } = first.object.state;
    return writeBackup(store.sealer, this.#collection, { name: first.fields.name, policy, versions });
  }

  /** @throws KannukiError KNK-KVT-0029, 0021 */
  async restore(backup: Uint8Array, stateAfter: RestoredState = () => plainState): Promise<VersionRow> {
    const { name, policy, versions } = await readBackup(this.#context.store.sealer, this.#collection, backup);
    using values = new DisposableStack();
    for (const { value } of versions) values.use(value);
    const newest = versions.at(-1);
    if (newest === undefined) throw new KannukiError('KNK-KVT-0029', { details: { reason: 'it is empty' } });
    await this.#context.changes.restore(this.named(name), versions, stateAfter(policy, newest));
    return this.row(name, null);
  }
}

/** Where an object of a collection is in the order: opaque to clients. */
function encoded(position: string): string {
  return Buffer.from(position, 'latin1').toString('base64url');
}

function decoded(token: string): string {
  const position = Buffer.from(token.slice(0, 200), 'base64url').toString('latin1');
  if (!/^[0-9a-zA-Z-]{1,127}$/.test(position)) throw wrongParameter('$skiptoken', 'it is not one of ours');
  return position;
}

function paged(rows: readonly VersionRow[], limit: number, position: (row: VersionRow) => string): Page<VersionRow> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, next: rows.length > limit && last !== undefined ? encoded(position(last)) : null };
}
