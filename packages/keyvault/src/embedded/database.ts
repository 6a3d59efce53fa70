import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { KannukiError, syncDirectory } from '@kannuki/core';
import { migrate } from './schema.ts';

/** SQLite result codes (sqlite.org/rescode.html), low byte. */
const sqliteBusy = 5;
/**
 * What a damaged file leads to: ERROR, CORRUPT, CONSTRAINT, MISMATCH, NOTADB. Our statements are constants that fit the
 * schema and its constraints, so where SQLite says they do not, the schema is not the one we made.
 */
const sqliteDamage: readonly number[] = [1, 11, 19, 20, 26];

const lockRetryMilliseconds = 50;

/**
 * Opens the vault database for this process alone. WAL with synchronous=FULL: a commit that returned survives a power
 * cut. locking_mode=EXCLUSIVE, set before the file is first read, makes SQLite hold a kernel lock on the file until it
 * is closed or the process dies however it dies, so no stale lock is left behind; and it keeps the WAL index in memory,
 * without which WAL does not work on network file systems.
 * @param lockWaitSeconds how long to wait for another process to let go
 * @throws KannukiError KNK-KVT-0009 in use, 0010 damaged, 0017 too new, 0020 input/output
 */
export async function openDatabase(file: string, lockWaitSeconds: number): Promise<DatabaseSync> {
  await createPrivateFile(file);
  const deadline = performance.now() + lockWaitSeconds * 1000;
  for (;;) {
    const database = translated(file, () => new DatabaseSync(file, { timeout: 0 }));
    try {
      translated(file, () => {
        database.exec('PRAGMA locking_mode = EXCLUSIVE');
        database.exec('PRAGMA journal_mode = WAL');
        database.exec('PRAGMA synchronous = FULL');
        database.exec('PRAGMA foreign_keys = ON');
        database.exec('PRAGMA trusted_schema = OFF');
        database.exec('PRAGMA cell_size_check = ON');
        // What was purged is overwritten in the file, not only taken off the lists.
        database.exec('PRAGMA secure_delete = ON');
        // The first write transaction takes the lock that EXCLUSIVE then keeps.
        database.exec('BEGIN EXCLUSIVE; COMMIT');
        migrate(file, database);
      });
      await syncDirectory(dirname(file));
      return database;
    } catch (error) {
      database.close();
      const inUse = error instanceof KannukiError && error.code === 'KNK-KVT-0009';
      if (!inUse || performance.now() > deadline) throw error;
    }
    await sleep(lockRetryMilliseconds);
  }
}

/** Runs a write to its commit; a failure at any point, the commit included, leaves nothing of it. */
export function inTransaction<Result>(file: string, database: DatabaseSync, write: () => Result): Result {
  return translated(file, () => {
    database.exec('BEGIN IMMEDIATE');
    try {
      const result = write();
      database.exec('COMMIT');
      return result;
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK');
      throw error;
    }
  });
}

/** Turns SQLite's errors into ours. Their texts name tables and conditions, never bound values. */
export function translated<Result>(file: string, action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    const { code, errcode, errstr } = error as { code?: string; errcode?: number; errstr?: string };
    // The database was closed under a call that had begun: the vaults were sealed, or the server ends.
    if (code === 'ERR_INVALID_STATE') throw new KannukiError('KNK-KVT-0027', { cause: error });
    if (code !== 'ERR_SQLITE_ERROR' || errcode === undefined) throw error;
    const primary = errcode & 0xff;
    if (primary === sqliteBusy) throw new KannukiError('KNK-KVT-0009', { details: { file }, cause: error });
    if (sqliteDamage.includes(primary)) {
      throw new KannukiError('KNK-KVT-0010', { details: { object: `the database ${file}` }, cause: error });
    }
    const reason = `SQLite says: ${errstr ?? 'error'} (${errcode})`;
    throw new KannukiError('KNK-KVT-0020', { details: { file, reason }, cause: error });
  }
}

/**
 * SQLite gives its WAL file the mode of the database, so the database is made before SQLite can make it wider.
 * @param flags O_EXCL where the file must be new
 */
export async function createPrivateFile(file: string, flags = 0): Promise<void> {
  try {
    const handle = await open(file, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | flags, 0o600);
    await handle.close();
  } catch (error) {
    const reason = `it cannot be opened (${(error as NodeJS.ErrnoException).code})`;
    throw new KannukiError('KNK-KVT-0020', { details: { file, reason }, cause: error });
  }
}
