import type { DatabaseSync } from 'node:sqlite';
import { KannukiError } from '@kannuki/core';
import type { ObjectCollection } from '../object-id.ts';
import { inTransaction, translated } from './database.ts';
import type { RootKey } from './root-key.ts';
import type { RowSealer } from './row-seal.ts';
import { sealedHeadBytes } from './sealed.ts';
import { type VersionRow, versionRow } from './statements.ts';

export interface RekeyParts {
  readonly file: string;
  readonly database: DatabaseSync;
  readonly sealer: RowSealer;
  /** Taken over. */
  readonly next: RootKey;
}

const versionTables = { keys: 'key_versions', secrets: 'secret_versions' } as const satisfies Record<
  ObjectCollection,
  string
>;

/** Rows that are in memory at once. */
const pageRows = 500;

/**
 * Seals the data key of every version, and the row key, under another root key. The new data keys are made first, page
 * by page, into a temporary table (sealed, so it may lie on a disk) while others go on reading; then one short
 * transaction puts all of them in place. Values, and the MACs under the row key, stay as they are. Must run where nobody
 * else writes.
 * @throws KannukiError KNK-KVT-0010 for a row that is not as it was written, 0020; nothing is changed then
 */
export async function rekeyDatabase({ file, database, sealer, next }: RekeyParts): Promise<void> {
  try {
    const rowKey = await sealer.sealRowKey(next);
    translated(file, () => {
      database.exec(`DROP TABLE IF EXISTS temp.resealed;
        CREATE TEMP TABLE resealed (
          collection TEXT NOT NULL, id INTEGER NOT NULL, data_key BLOB NOT NULL, PRIMARY KEY (collection, id)
        ) WITHOUT ROWID`);
    });
    for (const collection of ['keys', 'secrets'] as const) {
      await resealCollection({ file, database, sealer, next }, collection);
    }
    inTransaction(file, database, () => {
      database.prepare('INSERT INTO root_keys VALUES (?, ?, ?)').run(next.id, Date.now(), rowKey);
      for (const [collection, table] of Object.entries(versionTables)) {
        // A row without a new data key would break NOT NULL, and one left under the old root key the reference below.
        database
          .prepare(
            `UPDATE ${table} SET root_key_id = ?,
              data_key = (SELECT r.data_key FROM temp.resealed r WHERE r.collection = ? AND r.id = ${table}.id)`,
          )
          .run(next.id, collection);
      }
      database.prepare('DELETE FROM root_keys WHERE id <> ?').run(next.id);
    });
    sealer.replaceRootKey(next);
  } catch (error) {
    next.close();
    throw error;
  } finally {
    if (database.isOpen) database.exec('DROP TABLE IF EXISTS temp.resealed');
  }
  dropLog(file, database);
}

/** Moves everything from the log into the database and empties it: what it said before is in no file any more. */
export function dropLog(file: string, database: DatabaseSync): void {
  translated(file, () => database.exec('PRAGMA wal_checkpoint(TRUNCATE)'));
}

async function resealCollection(
  { file, database, sealer, next }: RekeyParts,
  collection: ObjectCollection,
): Promise<void> {
  const insert = translated(file, () => database.prepare('INSERT INTO temp.resealed VALUES (?, ?, ?)'));
  // CROSS JOIN keeps this order: the version by its id, then what it belongs to. Of the value its head is enough.
  const after = translated(file, () =>
    database.prepare(`
      SELECT v.id, w.name AS vault, o.name, v.version, v.sequence, v.created_at, v.attributes, v.root_key_id, v.data_key,
        substr(v.value, 1, ${sealedHeadBytes}) AS value, v.mac
      FROM ${versionTables[collection]} v CROSS JOIN ${collection} o ON o.id = v.object_id
        CROSS JOIN vaults w ON w.id = o.vault_id
      WHERE v.id > ? ORDER BY v.id LIMIT ?`),
  );
  for (let last = 0; ; ) {
    const page = translated(file, () => after.all(last, pageRows)).map((row) => versionRow(collection, row));
    const final = page.at(-1);
    if (final === undefined) return;
    const dataKeys = await Promise.all(page.map((row) => resealed(sealer, row, next)));
    inTransaction(file, database, () => {
      for (const [index, { id }] of page.entries()) insert.run(collection, id, dataKeys[index] ?? null);
    });
    last = final.id;
  }
}

type SealedRow = Pick<VersionRow, 'fields' | 'dataKey' | 'value' | 'mac'>;

async function resealed(sealer: RowSealer, row: SealedRow, next: RootKey): Promise<Uint8Array> {
  const dataKey = await sealer.reseal(row.fields, row, next);
  if (dataKey !== undefined) return dataKey;
  const { vault, collection, name, version } = row.fields;
  throw new KannukiError('KNK-KVT-0010', { details: { object: `${vault}: ${collection}/${name}/${version}` } });
}
