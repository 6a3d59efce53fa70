import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import type { ObjectCollection } from '../object-id.ts';
import type { ObjectState } from './object-state.ts';
import type { SealedVersion, VersionFields } from './row-seal.ts';
import { sealedHeadBytes } from './sealed.ts';

/** A row of key_versions or secret_versions with the object it belongs to. */
export interface VersionRow extends SealedVersion {
  readonly id: number;
  readonly fields: VersionFields;
  /** The root key that sealed the data key. */
  readonly rootKeyId: string;
  readonly object: ObjectRow;
}

/** A row of keys or secrets. */
export interface ObjectRow {
  readonly id: number;
  readonly state: ObjectState;
  readonly stateMac: Uint8Array | null;
}

export type OutputRow = Record<string, SQLOutputValue>;

/** The statements of one collection: keys and secrets have tables of their own with the same columns. */
export interface VersionStatements {
  readonly exact: StatementSync;
  readonly newest: StatementSync;
  readonly newestOfEach: StatementSync;
  readonly versions: StatementSync;
  /** Newest versions by name, after a name; of the value only its head. */
  readonly livePage: StatementSync;
  readonly deletedPage: StatementSync;
  /** Versions of one object after a sequence number; of the value only its head. */
  readonly versionPage: StatementSync;
  /** Every row of every vault, of the value only its head. */
  readonly all: StatementSync;
  /** Some objects of a vault, live or deleted. */
  readonly someOfVault: StatementSync;
  readonly allStates: StatementSync;
  readonly findObject: StatementSync;
  readonly purgeDue: StatementSync;
  readonly eventsDue: StatementSync;
  readonly addObject: StatementSync;
  readonly setState: StatementSync;
  readonly addVersion: StatementSync;
  readonly replaceVersion: StatementSync;
  readonly removeVersions: StatementSync;
  readonly removeObject: StatementSync;
}

const stateColumns = 'o.id AS object_id, o.deleted_at, o.purge_at, o.policy, o.due_at, o.state_mac';

export function prepareVersionStatements(database: DatabaseSync, collection: ObjectCollection): VersionStatements {
  const versions = collection === 'keys' ? 'key_versions' : 'secret_versions';
  const columns = (value: string): string => `
    SELECT v.id, w.name AS vault, o.name, v.version, v.sequence, v.created_at, v.attributes, v.root_key_id, v.data_key,
      ${value} AS value, v.mac, ${stateColumns}`;
  // CROSS JOIN keeps this order: the vault, then the object, then its versions, each by an index.
  const select = (value: string): string => `${columns(value)}
    FROM vaults w CROSS JOIN ${collection} o ON o.vault_id = w.id CROSS JOIN ${versions} v ON v.object_id = o.id`;
  const newest = `(SELECT max(sequence) FROM ${versions} WHERE object_id = o.id)`;
  const whole = select('v.value');
  const headBytes = `substr(v.value, 1, ${sealedHeadBytes})`;
  const head = select(headBytes);
  const prepare = (sql: string): StatementSync => database.prepare(sql);
  const page = (which: string): StatementSync =>
    prepare(`${head}
      WHERE w.name = ? AND o.deleted_at IS ${which} AND o.name > ? AND v.sequence = ${newest} ORDER BY o.name LIMIT ?`);
  return {
    exact: prepare(`${whole} WHERE w.name = ? AND o.name = ? AND v.version = ?`),
    newest: prepare(`${whole} WHERE w.name = ? AND o.name = ? AND v.sequence = ${newest}`),
    newestOfEach: prepare(
      `${head} WHERE w.name = ? AND o.deleted_at IS NULL AND v.sequence = ${newest} ORDER BY o.name`,
    ),
    versions: prepare(`${whole} WHERE w.name = ? AND o.name = ? ORDER BY v.sequence`),
    livePage: page('NULL'),
    deletedPage: page('NOT NULL'),
    versionPage: prepare(`${head} WHERE w.name = ? AND o.name = ? AND v.sequence > ? ORDER BY v.sequence LIMIT ?`),
    all: prepare(head),
    someOfVault: prepare(`
      SELECT o.name, ${stateColumns} FROM vaults w CROSS JOIN ${collection} o ON o.vault_id = w.id
      WHERE w.name = ? LIMIT ?`),
    allStates: prepare(`
      SELECT w.name AS vault, o.name, ${stateColumns} FROM vaults w CROSS JOIN ${collection} o ON o.vault_id = w.id
      WHERE o.state_mac IS NOT NULL OR o.deleted_at IS NOT NULL OR o.purge_at IS NOT NULL OR o.policy IS NOT NULL
        OR o.due_at IS NOT NULL`),
    findObject: prepare(`
      SELECT o.name, (SELECT max(sequence) FROM ${versions} WHERE object_id = o.id) AS sequence, ${stateColumns}
      FROM ${collection} o WHERE o.vault_id = ? AND o.name = ?`),
    purgeDue: prepare(`
      SELECT w.name AS vault, o.name FROM ${collection} o CROSS JOIN vaults w ON w.id = o.vault_id
      WHERE o.purge_at <= ? ORDER BY o.purge_at LIMIT ?`),
    eventsDue: prepare(`
      SELECT w.name AS vault, o.name FROM ${collection} o CROSS JOIN vaults w ON w.id = o.vault_id
      WHERE o.due_at <= ? AND o.deleted_at IS NULL ORDER BY o.due_at LIMIT ?`),
    addObject: prepare(`
      INSERT INTO ${collection} (vault_id, name, deleted_at, purge_at, policy, due_at, state_mac)
      VALUES (?, ?, ?, ?, ?, ?, ?)`),
    setState: prepare(`
      UPDATE ${collection} SET deleted_at = ?, purge_at = ?, policy = ?, due_at = ?, state_mac = ? WHERE id = ?`),
    addVersion: prepare(`
      INSERT INTO ${versions}
        (object_id, version, sequence, created_at, attributes, root_key_id, data_key, value, mac)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`),
    replaceVersion: prepare(`
      UPDATE ${versions} SET attributes = ?, root_key_id = ?, data_key = ?, value = ?, mac = ? WHERE id = ?`),
    removeVersions: prepare(`DELETE FROM ${versions} WHERE object_id = ?`),
    removeObject: prepare(`DELETE FROM ${collection} WHERE id = ?`),
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
    object: objectRow(row),
  };
}

export function objectRow(row: OutputRow): ObjectRow {
  return {
    id: Number(row.object_id),
    state: {
      deletedAt: numberOrNull(row.deleted_at),
      purgeAt: numberOrNull(row.purge_at),
      policy: row.policy === null ? null : String(row.policy),
      dueAt: numberOrNull(row.due_at),
    },
    stateMac: row.state_mac === null ? null : blob(row.state_mac),
  };
}

export function blob(value: SQLOutputValue | undefined): Uint8Array {
  return value instanceof Uint8Array ? value : new Uint8Array(0);
}

function numberOrNull(value: SQLOutputValue | undefined): number | null {
  return value === null ? null : Number(value);
}
