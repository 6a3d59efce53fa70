import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { KannukiError, SecretBytes, syncDirectory, syncFile } from '@kannuki/core';
import type { ObjectCollection } from '../object-id.ts';
import { createPrivateFile, inTransaction, openDatabase, translated } from './database.ts';
import { Inventory } from './inventory.ts';
import { dropLog, rekeyDatabase } from './rekey.ts';
import type { RootKey } from './root-key.ts';
import { RowSealer, rowKeyContext, type VersionFields } from './row-seal.ts';
import { blob, prepareVersionStatements, type VersionRow, type VersionStatements, versionRow } from './statements.ts';

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

/**
 * Versions of keys and secrets of several vaults in one database, sealed at rest. Knows nothing of what a key or a
 * secret is. One writer at a time; a write that resolved is on stable storage.
 */
export class VaultStore {
  readonly #file: string;
  readonly #database: DatabaseSync;
  readonly #sealer: RowSealer;
  readonly #statements: Readonly<Record<ObjectCollection, VersionStatements>>;
  readonly #rescue: boolean;
  #inventory: Inventory;
  #lastWrite: Promise<unknown> = Promise.resolve();

  private constructor(options: VaultStoreOptions, database: DatabaseSync, sealer: RowSealer) {
    this.#file = options.databaseFile;
    this.#rescue = options.rescue;
    this.#database = database;
    this.#sealer = sealer;
    this.#statements = translated(this.#file, () => ({
      keys: prepareVersionStatements(database, 'keys'),
      secrets: prepareVersionStatements(database, 'secrets'),
    }));
    this.#inventory = this.#checkedInventory();
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

  /** The vault's name as it was first written; undefined where there is none. */
  vaultName(name: string): string | undefined {
    const row = translated(this.#file, () =>
      this.#database.prepare('SELECT name FROM vaults WHERE name = ?').get(name),
    );
    return row === undefined ? undefined : String(row.name);
  }

  /** Does nothing where there is one of that name. */
  async createVault(name: string): Promise<void> {
    await this.#write(async () => {
      inTransaction(this.#file, this.#database, () =>
        this.#database.prepare('INSERT OR IGNORE INTO vaults (name, created_at) VALUES (?, ?)').run(name, Date.now()),
      );
    });
  }

  /**
   * @param version null for the newest
   * @throws KannukiError KNK-KVT-0010 where the row is not as it was written
   */
  find(collection: ObjectCollection, vault: string, name: string, version: string | null): VersionRow | undefined {
    const { exact, newest } = this.#statements[collection];
    const row = translated(this.#file, () =>
      version === null ? newest.get(vault, name) : exact.get(vault, name, version),
    );
    return row === undefined ? undefined : this.#intact(versionRow(collection, row));
  }

  /** The newest version of each object of a vault, by name. */
  newestOfEach(collection: ObjectCollection, vault: string): readonly VersionRow[] {
    return this.#all(collection, this.#statements[collection].newestOfEach, [vault]);
  }

  /** All versions of one object, oldest first. */
  versions(collection: ObjectCollection, vault: string, name: string): readonly VersionRow[] {
    return this.#all(collection, this.#statements[collection].versions, [vault, name]);
  }

  /** The caller disposes the result. @throws KannukiError KNK-KVT-0010 */
  async openValue(row: VersionRow): Promise<SecretBytes> {
    const { collection, vault, name, version } = row.fields;
    // A rekey may have come between reading the row and this.
    const isCurrent = row.rootKeyId === this.#sealer.rootKey.id;
    const current = isCurrent ? row : (this.find(collection, vault, name, version) ?? row);
    const value = await this.#sealer.open(current.fields, current);
    if (value === undefined) throw damaged(row.fields);
    return value;
  }

  /** Adds the newest version of an object, and the object where it is new. The value stays the caller's. */
  async addVersion(
    collection: ObjectCollection,
    vault: string,
    name: string,
    attributes: string,
    value: SecretBytes,
  ): Promise<VersionFields> {
    return this.#write(async () => {
      const { findObject, addObject, addVersion } = this.#statements[collection];
      const [vaultRow, object] = translated(this.#file, () => {
        const found = this.#database.prepare('SELECT id, name FROM vaults WHERE name = ?').get(vault);
        return [found, found === undefined ? undefined : findObject.get(Number(found.id), name)];
      });
      if (vaultRow === undefined) throw new KannukiError('KNK-KVT-0003', { details: { object: `vault ${vault}` } });
      const fields: VersionFields = {
        collection,
        vault: String(vaultRow.name),
        name: object === undefined ? name : String(object.name),
        version: randomBytes(16).toString('hex'),
        sequence: Number(object?.sequence ?? 0) + 1,
        createdAt: Date.now(),
        attributes,
      };
      const sealed = await this.#sealer.seal(fields, value);
      this.#commit(this.#inventory.with(sealed.mac), () => {
        const objectId = object?.id ?? addObject.run(Number(vaultRow.id), name).lastInsertRowid;
        const { version, sequence, createdAt } = fields;
        const { dataKey, value: sealedValue, mac } = sealed;
        const rootKeyId = this.#sealer.rootKey.id;
        addVersion.run(objectId, version, sequence, createdAt, attributes, rootKeyId, dataKey, sealedValue, mac);
      });
      return fields;
    });
  }

  /** Gives a version other attributes: its value is sealed anew under them. */
  async replaceAttributes(
    collection: ObjectCollection,
    vault: string,
    name: string,
    version: string | null,
    change: (attributes: string) => string,
  ): Promise<VersionFields> {
    return this.#write(async () => {
      const row = this.find(collection, vault, name, version);
      if (row === undefined) {
        throw new KannukiError('KNK-KVT-0003', { details: { object: `${collection}/${name}` } });
      }
      const fields: VersionFields = { ...row.fields, attributes: change(row.fields.attributes) };
      using value = await this.openValue(row);
      const { dataKey, value: sealedValue, mac } = await this.#sealer.seal(fields, value);
      const rootKeyId = this.#sealer.rootKey.id;
      this.#commit(this.#inventory.without(row.mac).with(mac), () => {
        const { replaceVersion } = this.#statements[collection];
        replaceVersion.run(fields.attributes, rootKeyId, dataKey, sealedValue, mac, row.id);
      });
      return fields;
    });
  }

  /**
   * Seals every data key and the row key anew, in one transaction; when it resolved, the old root key opens nothing of
   * this database. Reads go on meanwhile, writes wait.
   * @param next taken over, also when it fails
   */
  async rekey(next: RootKey): Promise<void> {
    const parts = { file: this.#file, database: this.#database, sealer: this.#sealer, next };
    await this.#write(() => rekeyDatabase(parts));
  }

  /** The root keys that the database says it is sealed under: one, or none yet. */
  rootKeyIds(): readonly string[] {
    return rootKeyIds(this.#file, this.#database);
  }

  /** Writes a consistent copy of the database, sealed as it is, to a file that must not exist. */
  async backup(target: string): Promise<void> {
    await this.#write(async () => {
      await createPrivateFile(target, constants.O_EXCL);
      translated(target, () => this.#database.prepare('VACUUM INTO ?').run(target));
      await syncFile(target);
      await syncDirectory(dirname(target));
    }, true);
  }

  /** Waits for writes that have begun, lets go of the file and wipes the keys. */
  async close(): Promise<void> {
    await this.#lastWrite.catch(() => undefined);
    if (this.#database.isOpen) this.#database.close();
    this.#sealer.close();
  }

  /** One write after the other: the next sequence number and the inventory depend on what was committed. */
  async #write<Result>(write: () => Promise<Result>, readsOnly = false): Promise<Result> {
    if (this.#rescue && !readsOnly) {
      const reason = 'it is open for rescue, that is for reading';
      throw new KannukiError('KNK-KVT-0020', { details: { file: this.#file, reason } });
    }
    const mine = this.#lastWrite.catch(() => undefined).then(write);
    this.#lastWrite = mine;
    return mine;
  }

  #commit(inventory: Inventory, write: () => void): void {
    inTransaction(this.#file, this.#database, () => {
      write();
      const { rowCount, sum, mac } = inventory.record();
      this.#database
        .prepare('UPDATE inventory SET row_count = ?, sum = ?, mac = ? WHERE id = 1')
        .run(rowCount, sum, mac);
    });
    this.#inventory = inventory;
  }

  #all(collection: ObjectCollection, statement: VersionStatements['all'], of: SQLInputValue[]): readonly VersionRow[] {
    const rows = translated(this.#file, () => statement.all(...of));
    return rows.map((row) => this.#intact(versionRow(collection, row)));
  }

  #intact(row: VersionRow): VersionRow {
    if (!this.#sealer.isIntact(row.fields, row)) throw damaged(row.fields);
    return row;
  }

  /** Reads every row's fields once; refuses (unless for rescue) what does not add up. */
  #checkedInventory(): Inventory {
    let inventory = new Inventory(this.#sealer);
    return translated(this.#file, () => {
      for (const collection of collections) {
        for (const output of this.#statements[collection].all.iterate()) {
          const row = versionRow(collection, output);
          if (!this.#rescue) this.#intact(row);
          inventory = inventory.with(row.mac);
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

function damaged({ vault, collection, name, version }: VersionFields): KannukiError {
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
