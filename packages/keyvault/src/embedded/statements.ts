import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import type { ObjectCollection } from '../object-id.ts';
import type { SealedVersion, VersionFields } from './row-seal.ts';
import { sealedHeadBytes } from './sealed.ts';

/** A row of key_versions or secret_versions with the names it belongs to. */
export interface VersionRow extends SealedVersion {
  readonly id: number;
  readonly fields: VersionFields;
  /** The root key that sealed the data key. */
  readonly rootKeyId: string;
}

type OutputRow = Record<string, SQLOutputValue>;

/** The statements of one collection: keys and secrets have tables of their own with the same columns. */
export interface VersionStatements {
  readonly exact: StatementSync;
  readonly newest: StatementSync;
  readonly newestOfEach: StatementSync;
  readonly versions: StatementSync;
  /** Every row of every vault, of the value only its head. */
  readonly all: StatementSync;
  readonly findObject: StatementSync;
  readonly addObject: StatementSync;
  readonly addVersion: StatementSync;
  readonly replaceVersion: StatementSync;
}

export function prepareVersionStatements(database: DatabaseSync, collection: ObjectCollection): VersionStatements {
  const versions = collection === 'keys' ? 'key_versions' : 'secret_versions';
  const select = (value: string): string => `
    SELECT v.id, w.name AS vault, o.name, v.version, v.sequence, v.created_at, v.attributes, v.root_key_id, v.data_key,
      ${value} AS value, v.mac
    FROM ${versions} v JOIN ${collection} o ON o.id = v.object_id JOIN vaults w ON w.id = o.vault_id`;
  const newest = `(SELECT max(sequence) FROM ${versions} WHERE object_id = o.id)`;
  const prepare = (sql: string): StatementSync => database.prepare(sql);
  return {
    exact: prepare(`${select('v.value')} WHERE w.name = ? AND o.name = ? AND v.version = ?`),
    newest: prepare(`${select('v.value')} WHERE w.name = ? AND o.name = ? AND v.sequence = ${newest}`),
    newestOfEach: prepare(`${select('v.value')} WHERE w.name = ? AND v.sequence = ${newest} ORDER BY o.name`),
    versions: prepare(`${select('v.value')} WHERE w.name = ? AND o.name = ? ORDER BY v.sequence`),
    all: prepare(select(`substr(v.value, 1, ${sealedHeadBytes})`)),
    findObject: prepare(`
      SELECT o.id, o.name, (SELECT max(sequence) FROM ${versions} WHERE object_id = o.id) AS sequence
      FROM ${collection} o WHERE o.vault_id = ? AND o.name = ?`),
    addObject: prepare(`INSERT INTO ${collection} (vault_id, name) VALUES (?, ?)`),
    addVersion: prepare(`
      INSERT INTO ${versions}
        (object_id, version, sequence, created_at, attributes, root_key_id, data_key, value, mac)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`),
    replaceVersion: prepare(`
      UPDATE ${versions} SET attributes = ?, root_key_id = ?, data_key = ?, value = ?, mac = ? WHERE id = ?`),
  };
}

export function versionRow(collection: ObjectCollection, row: OutputRow): VersionRow {
  return {
    id: Number(row.id),
    fields: {
      collection,
      vault: String(row.vault),
      name: String(row.name),
      version: String(row.version),
      sequence: Number(row.sequence),
      createdAt: Number(row.created_at),
      attributes: String(row.attributes),
    },
    rootKeyId: String(row.root_key_id),
    dataKey: blob(row.data_key),
    value: blob(row.value),
    mac: blob(row.mac),
  };
}

export function blob(value: SQLOutputValue | undefined): Uint8Array {
  return value instanceof Uint8Array ? value : new Uint8Array(0);
}
