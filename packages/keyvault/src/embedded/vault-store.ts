import { constants } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { KannukiError, SecretBytes, syncDirectory, syncFile } from '@kannuki/core';
import type { ObjectCollection } from '../object-id.ts';
import { createPrivateFile, inTransaction, openDatabase, translated } from './database.ts';
import { Inventory } from './inventory.ts';
import { type ObjectName, stateMac } from './object-state.ts';
import { RecentRows } from './recent-rows.ts';
import { dropLog, rekeyDatabase } from './rekey.ts';
import type { RootKey } from './root-key.ts';
import { isSame, RowSealer, rowKeyContext, type VersionFields } from './row-seal.ts';
import {
  blob,
  type ObjectRow,
  type OutputRow,
  objectRow,
  prepareVersionStatements,
  type VersionRow,
  type VersionStatements,
  versionRow,
} from './statements.ts';
import { type Change, WriteQueue } from './write-queue.ts';

export interface VaultStoreOptions {
  readonly databaseFile: string;
  /**
   * Finds the root key for a database that was sealed under the one of that id (none for a new database); called with
   * the database held alone. What it gives is taken over: closed with the store, also when opening fails.
   */
  readonly rootKey: (ids: readonly string[]) => Promise<RootKey>;
  readonly lockWaitSeconds: number;
  /** Opens although the inventory does not fit, for reading what is intact; nothing can be written. */
  readonly rescue: boolean;
}

const collections = ['keys', 'secrets'] as const satisfies readonly ObjectCollection[];

const mostRecentRows = 4096;

/** An object as a write finds it. */
export interface FoundObject extends ObjectRow {
  readonly name: ObjectName;
  /** Of its newest version; 0 where it has none. */
  readonly sequence: number;
}

/**
 * Versions of keys and secrets of several vaults in one database, sealed at rest. Knows nothing of what a key or a
 * secret is. A write that resolved is on stable storage; what is written is in object-changes.ts.
 */
export class VaultStore {
  readonly statements: Readonly<Record<ObjectCollection, VersionStatements>>;
  readonly sealer: RowSealer;
  readonly #file: string;
  readonly #database: DatabaseSync;
  readonly #rescue: boolean;
  readonly #writes: WriteQueue;
  readonly #vaultByName: StatementSync;
  /** Of keys: these are small, and used again and again. */
  readonly #recent = new RecentRows(mostRecentRows);
  #inventory: Inventory;

  private constructor(options: VaultStoreOptions, database: DatabaseSync, sealer: RowSealer) {
    this.#file = options.databaseFile;
    this.#rescue = options.rescue;
    this.#database = database;
    this.sealer = sealer;
    this.statements = translated(this.#file, () => ({
      keys: prepareVersionStatements(database, 'keys'),
      secrets: prepareVersionStatements(database, 'secrets'),
    }));
    this.#vaultByName = translated(this.#file, () => database.prepare('SELECT id, name FROM vaults WHERE name = ?'));
    this.#inventory = this.#checkedInventory();
    this.#writes = new WriteQueue((changes) => this.#commit(changes));
  }

  /** @throws KannukiError KNK-KVT-0009, 0010, 0012, 0017, 0020 */
  static async open(options: VaultStoreOptions): Promise<VaultStore> {
    const { databaseFile, lockWaitSeconds } = options;
    let database: DatabaseSync | undefined;
    let rootKey: RootKey | undefined;
    let sealer: RowSealer | undefined;
    try {
      database = await openDatabase(databaseFile, lockWaitSeconds);
      rootKey = await options.rootKey(rootKeyIds(databaseFile, database));
      sealer = await openSealer(databaseFile, database, rootKey);
      // A rekey that was cut after its commit has left keys sealed under the old root key in the log.
      if (!options.rescue) dropLog(databaseFile, database);
      return new VaultStore(options, database, sealer);
    } catch (error) {
      sealer?.close();
      rootKey?.close();
      database?.close();
      throw error;
    }
  }

  vaultNames(): readonly string[] {
    return translated(this.#file, () =>
      this.#database
        .prepare('SELECT name FROM vaults ORDER BY name')
        .all()
        .map((row) => String(row.name)),
    );
  }

  /** The vault's row and its name as it was first written; undefined where there is none. */
  findVault(name: string): { readonly id: number; readonly name: string } | undefined {
    const row = this.#read(() => this.#vaultByName.get(name));
    return row === undefined ? undefined : { id: Number(row.id), name: String(row.name) };
  }

  /** Does nothing where there is one of that name. */
  async createVault(name: string): Promise<void> {
    await this.write(null, async () => ({
      result: undefined,
      removed: [],
      added: [],
      apply: () =>
        this.#database.prepare('INSERT OR IGNORE INTO vaults (name, created_at) VALUES (?, ?)').run(name, Date.now()),
    }));
  }

  /** For a change that removes everything of a vault. */
  removeVaultRow(id: number): void {
    this.#database.prepare('DELETE FROM vaults WHERE id = ?').run(id);
  }

  /**
   * A version of a live object.
   * @param version null for the newest
   * @throws KannukiError KNK-KVT-0010 where the row is not as it was written
   */
  find(collection: ObjectCollection, vault: string, name: string, version: string | null): VersionRow | undefined {
    const row = this.findAny(collection, vault, name, version);
    return row?.object.state.deletedAt === null ? row : undefined;
  }

  /** A version of an object that may be deleted. */
  findAny(collection: ObjectCollection, vault: string, name: string, version: string | null): VersionRow | undefined {
    if (!this.#database.isOpen) throw new KannukiError('KNK-KVT-0027');
    const known = this.#recent.find(collection, vault, name, version);
    if (known !== undefined) return known;
    const { exact, newest } = this.statements[collection];
    const output = this.#read(() => (version === null ? newest.get(vault, name) : exact.get(vault, name, version)));
    if (output === undefined) return undefined;
    const row = this.#intact(versionRow(collection, output));
    if (collection === 'keys') this.#recent.keep({ collection, vault, name }, version, row);
    return row;
  }

  /** The object itself, live or deleted, for a write to it. */
  findObject(collection: ObjectCollection, vault: string, name: string): FoundObject | undefined {
    const found = this.findVault(vault);
    if (found === undefined) return undefined;
    const output = this.#read(() => this.statements[collection].findObject.get(found.id, name));
    if (output === undefined) return undefined;
    const object = objectRow(output);
    const own: ObjectName = { collection, vault: found.name, name: String(output.name) };
    this.#assertState(own, object);
    return { ...object, name: own, sequence: Number(output.sequence ?? 0) };
  }

  someObjects(
    collection: ObjectCollection,
    vault: string,
    limit: number,
  ): readonly (ObjectRow & { name: ObjectName })[] {
    const rows = this.#read(() => this.statements[collection].someOfVault.all(vault, limit));
    const stored = this.findVault(vault)?.name ?? vault;
    return rows.map((output) => {
      const name: ObjectName = { collection, vault: stored, name: String(output.name) };
      const object = objectRow(output);
      this.#assertState(name, object);
      return { ...object, name };
    });
  }

  /** The newest version of each live object of a vault, by name, without usable values. */
  newestOfEach(collection: ObjectCollection, vault: string): readonly VersionRow[] {
    return this.rows(collection, (statements) => statements.newestOfEach.all(vault));
  }

  /** All versions of one live object, oldest first. */
  versions(collection: ObjectCollection, vault: string, name: string): readonly VersionRow[] {
    const rows = this.rows(collection, ({ versions }) => versions.all(vault, name));
    return rows.filter(({ object }) => object.state.deletedAt === null);
  }

  /** @throws KannukiError KNK-KVT-0010 where one of the rows is not as it was written */
  rows(collection: ObjectCollection, read: (statements: VersionStatements) => OutputRow[]): readonly VersionRow[] {
    const rows = this.#read(() => read(this.statements[collection]));
    return rows.map((row) => this.#intact(versionRow(collection, row)));
  }

  /** Names of the objects that one of the timer's statements finds. */
  names(
    collection: ObjectCollection,
    which: 'purgeDue' | 'eventsDue',
    now: number,
    limit: number,
  ): readonly ObjectName[] {
    const rows = this.#read(() => this.statements[collection][which].all(now, limit));
    return rows.map(({ vault, name }) => ({ collection, vault: String(vault), name: String(name) }));
  }

  /** The caller disposes the result. @throws KannukiError KNK-KVT-0010 */
  async openValue(row: VersionRow): Promise<SecretBytes> {
    // The root key may have been replaced between reading the row and this.
    const isCurrent = row.rootKeyId === this.sealer.rootKey.id;
    const current = isCurrent ? row : (this.#readAnew(row.fields) ?? row);
    const value = await this.sealer.open(current.fields, current);
    if (value === undefined) throw damaged(row.fields);
    return value;
  }

  /** @param lock names the object that is written; null for what concerns many */
  async write<Result>(lock: ObjectName | null, prepare: () => Promise<Change<Result>>): Promise<Result> {
    if (this.#rescue) {
      const reason = 'it is open for rescue, that is for reading';
      throw new KannukiError('KNK-KVT-0020', { details: { file: this.#file, reason } });
    }
    const name = lock === null ? null : `${lock.collection}/${lock.vault}/${lock.name}`.toLowerCase();
    return this.#writes.run(name, async () => {
      if (!this.#database.isOpen) throw new KannukiError('KNK-KVT-0027');
      const change = await prepare();
      const apply = (): void => {
        change.apply();
        if (lock === null) this.#recent.clear();
        else this.#recent.forget(lock);
      };
      return { ...change, apply };
    });
  }

  /** The caller disposes the result. */
  derivedKey(purpose: string): SecretBytes {
    return SecretBytes.take(this.sealer.keyedHash('derived key', [purpose]));
  }

  /**
   * Seals every data key and the row key anew, in one transaction; when it resolved, the old root key opens nothing of
   * this database. Reads go on meanwhile, writes wait.
   * @param next taken over, also when it fails
   */
  async rekey(next: RootKey): Promise<void> {
    const parts = { file: this.#file, database: this.#database, sealer: this.sealer, next };
    await this.write(null, async () => {
      await rekeyDatabase(parts);
      return { result: undefined, removed: [], added: [], apply: () => undefined };
    });
  }

  /** The root keys that the database says it is sealed under: one, or none yet. */
  rootKeyIds(): readonly string[] {
    return rootKeyIds(this.#file, this.#database);
  }

  /** Writes a consistent copy of the database, sealed as it is, to a file that must not exist. */
  async backup(target: string): Promise<void> {
    await this.#writes.run(null, async () => {
      await createPrivateFile(target, constants.O_EXCL);
      translated(target, () => this.#database.prepare('VACUUM INTO ?').run(target));
      await syncFile(target);
      await syncDirectory(dirname(target));
      return { result: undefined, removed: [], added: [], apply: () => undefined };
    });
  }

  /** Empties the write-ahead log, in which what was just purged could still be read (sealed as it was). */
  emptyLog(): void {
    translated(this.#file, () => this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)'));
  }

  /** Waits for writes that have begun, lets go of the file and wipes the keys. */
  async close(): Promise<void> {
    await this.#writes.idle();
    this.#recent.clear();
    if (this.#database.isOpen) this.#database.close();
    this.sealer.close();
  }

  #readAnew(fields: VersionFields): VersionRow | undefined {
    this.#recent.clear();
    return this.findAny(fields.collection, fields.vault, fields.name, fields.version);
  }

  /** @throws KannukiError KNK-KVT-0027 once it is closed */
  #read<Result>(action: () => Result): Result {
    if (!this.#database.isOpen) throw new KannukiError('KNK-KVT-0027');
    return translated(this.#file, action);
  }

  #commit(changes: readonly Change<unknown>[]): void {
    let inventory = this.#inventory;
    for (const { removed, added } of changes) {
      for (const mac of removed) inventory = inventory.without(mac);
      for (const mac of added) inventory = inventory.with(mac);
    }
    inTransaction(this.#file, this.#database, () => {
      for (const change of changes) change.apply();
      if (inventory === this.#inventory) return;
      const { rowCount, sum, mac } = inventory.record();
      this.#database
        .prepare('UPDATE inventory SET row_count = ?, sum = ?, mac = ? WHERE id = 1')
        .run(rowCount, sum, mac);
    });
    this.#inventory = inventory;
  }

  #intact(row: VersionRow): VersionRow {
    if (!this.sealer.isIntact(row.fields, row)) throw damaged(row.fields);
    this.#assertState(row.fields, row.object);
    return row;
  }

  #assertState(name: ObjectName, { state, stateMac: found }: ObjectRow): void {
    const expected = stateMac(this.sealer, name, state);
    if (expected === null && found === null) return;
    if (expected === null || found === null || !isSame(expected, found)) throw damaged({ ...name, version: 'state' });
  }

  /** Reads every row's fields once; refuses (unless for rescue) what does not add up. */
  #checkedInventory(): Inventory {
    let inventory = new Inventory(this.sealer);
    return translated(this.#file, () => {
      for (const collection of collections) {
        for (const output of this.statements[collection].all.iterate()) {
          const row = versionRow(collection, output);
          if (!this.#rescue) this.#intact(row);
          inventory = inventory.with(row.mac);
        }
        for (const output of this.statements[collection].allStates.iterate()) {
          const object = objectRow(output);
          const name = { collection, vault: String(output.vault), name: String(output.name) };
          if (!this.#rescue) this.#assertState(name, object);
          if (object.stateMac !== null) inventory = inventory.with(object.stateMac);
        }
      }
      const record = this.#database.prepare('SELECT row_count, sum, mac FROM inventory').get() ?? {};
      const fits = inventory.matches({
        rowCount: Number(record.row_count),
        sum: blob(record.sum),
        mac: blob(record.mac),
      });
      if (!fits && !this.#rescue) {
        const object = `the database ${this.#file} (rows are missing or older than they should be)`;
        throw new KannukiError('KNK-KVT-0010', { details: { object } });
      }
      return inventory;
    });
  }
}

function damaged({ vault, collection, name, version }: ObjectName & Pick<VersionFields, 'version'>): KannukiError {
  return new KannukiError('KNK-KVT-0010', { details: { object: `${vault}: ${collection}/${name}/${version}` } });
}

function rootKeyIds(file: string, database: DatabaseSync): readonly string[] {
  return translated(file, () => database.prepare('SELECT id FROM root_keys').all()).map((row) => String(row.id));
}

/** Opens the row key under the root key, or makes one for a database that has none yet. */
async function openSealer(file: string, database: DatabaseSync, rootKey: RootKey): Promise<RowSealer> {
  const rows = translated(file, () => database.prepare('SELECT id, row_key FROM root_keys').all());
  if (rows.length === 0) {
    const rowKey = SecretBytes.random(32);
    const sealer = new RowSealer(rootKey, rowKey);
    const sealed = await sealer.sealRowKey(rootKey);
    const { rowCount, sum, mac } = new Inventory(sealer).record();
    inTransaction(file, database, () => {
      database.prepare('INSERT INTO root_keys VALUES (?, ?, ?)').run(rootKey.id, Date.now(), sealed);
      database.prepare('INSERT INTO inventory VALUES (1, ?, ?, ?)').run(rowCount, sum, mac);
    });
    return sealer;
  }
  const own = rows.find((row) => row.id === rootKey.id);
  if (own === undefined) {
    const expected = rows.map((row) => String(row.id)).join(', ');
    throw new KannukiError('KNK-KVT-0012', { details: { file, rootKey: rootKey.id, expected } });
  }
  const rowKey = await rootKey.open(blob(own.row_key), rowKeyContext(rootKey));
  if (rowKey === undefined) {
    throw new KannukiError('KNK-KVT-0010', { details: { object: `the row key of ${file}` } });
  }
  return new RowSealer(rootKey, rowKey);
}
