import type { DatabaseSync } from 'node:sqlite';
import { KannukiError } from '@kannuki/core';

/** "KNKV": tells our database from any other SQLite file. */
const applicationId = 0x4b4e4b56;

/**
 * What a row says in the clear (names, versions, tags, public keys) a thief of the file may read; `data_key` and
 * `value` are sealed, and `mac` binds every field of its row (see row-seal.ts). Times are integer milliseconds.
 * `sequence` orders the versions of one object; the highest is the newest.
 */
const versionColumns = `
  version TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  attributes TEXT NOT NULL,
  root_key_id TEXT NOT NULL REFERENCES root_keys (id),
  data_key BLOB NOT NULL,
  value BLOB NOT NULL,
  mac BLOB NOT NULL`;

/** Each runs once, in order, in a transaction of its own. Never change one that was released: add another. */
const migrations: readonly { readonly name: string; readonly sql: string }[] = [
  {
    name: 'vaults, keys, secrets',
    sql: `
      CREATE TABLE root_keys (
        id TEXT PRIMARY KEY,
        created_at INTEGER NOT NULL,
        row_key BLOB NOT NULL
      ) STRICT;
      CREATE TABLE vaults (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE COLLATE NOCASE,
        created_at INTEGER NOT NULL
      ) STRICT;
      CREATE TABLE keys (
        id INTEGER PRIMARY KEY,
        vault_id INTEGER NOT NULL REFERENCES vaults (id),
        name TEXT NOT NULL COLLATE NOCASE,
        UNIQUE (vault_id, name)
      ) STRICT;
      CREATE TABLE key_versions (
        id INTEGER PRIMARY KEY,
        object_id INTEGER NOT NULL REFERENCES keys (id),${versionColumns},
        UNIQUE (object_id, version),
        UNIQUE (object_id, sequence)
      ) STRICT;
      CREATE TABLE secrets (
        id INTEGER PRIMARY KEY,
        vault_id INTEGER NOT NULL REFERENCES vaults (id),
        name TEXT NOT NULL COLLATE NOCASE,
        UNIQUE (vault_id, name)
      ) STRICT;
      CREATE TABLE secret_versions (
        id INTEGER PRIMARY KEY,
        object_id INTEGER NOT NULL REFERENCES secrets (id),${versionColumns},
        UNIQUE (object_id, version),
        UNIQUE (object_id, sequence)
      ) STRICT;
      CREATE TABLE inventory (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        row_count INTEGER NOT NULL,
        sum BLOB NOT NULL,
        mac BLOB NOT NULL
      ) STRICT;`,
  },
  {
    name: 'deleted objects, rotation policies, paging',
    sql: objectState('keys') + objectState('secrets'),
  },
];

/**
 * What is said of an object as a whole. All of it is null for an object that is live and has nothing due, as every row of
 * an earlier release is; otherwise `state_mac` binds it (see object-state.ts) and the inventory counts it.
 */
function objectState(collection: 'keys' | 'secrets'): string {
  return `
      ALTER TABLE ${collection} ADD COLUMN deleted_at INTEGER;
      ALTER TABLE ${collection} ADD COLUMN purge_at INTEGER;
      ALTER TABLE ${collection} ADD COLUMN policy TEXT;
      ALTER TABLE ${collection} ADD COLUMN due_at INTEGER;
      ALTER TABLE ${collection} ADD COLUMN state_mac BLOB;
      CREATE INDEX ${collection}_live ON ${collection} (vault_id, name) WHERE deleted_at IS NULL;
      CREATE INDEX ${collection}_deleted ON ${collection} (vault_id, name) WHERE deleted_at IS NOT NULL;
      CREATE INDEX ${collection}_purge ON ${collection} (purge_at) WHERE purge_at IS NOT NULL;
      CREATE INDEX ${collection}_due ON ${collection} (due_at) WHERE due_at IS NOT NULL AND deleted_at IS NULL;`;
}

/** Brings a database to the newest schema. @throws KannukiError KNK-KVT-0017 where it is newer than we are, 0010 where it is not ours */
export function migrate(file: string, database: DatabaseSync): void {
  const found = database.prepare('PRAGMA application_id').get()?.application_id;
  const tables = database.prepare('SELECT count(*) AS number FROM sqlite_schema').get()?.number;
  if (found !== applicationId && (found !== 0 || tables !== 0)) {
    throw new KannukiError('KNK-KVT-0010', { details: { object: `the database ${file} (it is not one of ours)` } });
  }
  database.exec(`BEGIN IMMEDIATE;
    PRAGMA application_id = ${applicationId};
    CREATE TABLE IF NOT EXISTS migrations (
      version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT;
    COMMIT`);
  const done = Number(database.prepare('SELECT max(version) AS version FROM migrations').get()?.version ?? 0);
  if (done > migrations.length) {
    throw new KannukiError('KNK-KVT-0017', { details: { file, found: done, known: migrations.length } });
  }
  for (const [index, { name, sql }] of migrations.entries()) {
    const version = index + 1;
    if (version <= done) continue;
    database.exec('BEGIN IMMEDIATE');
    try {
      database.exec(sql);
      database.prepare('INSERT INTO migrations VALUES (?, ?, ?)').run(version, name, Date.now());
      database.exec('COMMIT');
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK');
      throw error;
    }
  }
}
