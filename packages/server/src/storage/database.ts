import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { KannukiError, syncDirectory, syncFile } from '@kannuki/core';
import { migrate } from './schema.ts';

export type Row = Record<string, SQLOutputValue>;

/** Primary result code of SQLite (sqlite.org/rescode.html). */
const sqliteBusy = 5;
const lockRetryMilliseconds = 50;

/**
 * The server's database: SQLite in WAL with synchronous=FULL, so that what was acknowledged survives a power cut, and
 * with an exclusive kernel lock for as long as this process lives, so that two servers never work on one data folder.
 */
export class ServerDatabase {
  readonly file: string;
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #writes = 0;

  private constructor(file: string, database: DatabaseSync) {
    this.file = file;
    this.#database = database;
  }

  /**
   * @param lockWaitSeconds how long to wait for a server that is about to end
   * @throws KannukiError KNK-SRV-0001 in use, 0013 too new, 0014 unusable
   */
  static async open(file: string, lockWaitSeconds = 5): Promise<ServerDatabase> {
    await makePrivateFile(file);
    const deadline = performance.now() + lockWaitSeconds * 1000;
    for (;;) {
      try {
        const database = openLocked(file);
        await syncDirectory(dirname(file));
        return new ServerDatabase(file, database);
      } catch (error) {
        const inUse = error instanceof KannukiError && error.code === 'KNK-SRV-0001';
        if (!inUse || performance.now() > deadline) throw error;
      }
      await sleep(lockRetryMilliseconds);
    }
  }

  all(sql: string, ...values: readonly SQLInputValue[]): readonly Row[] {
    return this.#translated(() => this.#prepared(sql).all(...values));
  }

  one(sql: string, ...values: readonly SQLInputValue[]): Row | undefined {
    return this.#translated(() => this.#prepared(sql).get(...values));
  }

  /** Grows with every write: what was read at the same number still holds. */
  get writes(): number {
    return this.#writes;
  }

  /** @returns how many rows changed */
  change(sql: string, ...values: readonly SQLInputValue[]): number {
    this.#writes += 1;
    return this.#translated(() => Number(this.#prepared(sql).run(...values).changes));
  }

  /** Runs writes that belong together: all are on disk when it returns, or none. Must not wait for anything inside. */
  transaction<Result>(writes: () => Result): Result {
    if (this.#database.isTransaction) return writes();
    return this.#translated(() => {
      this.#database.exec('BEGIN IMMEDIATE');
      try {
        const result = writes();
        this.#database.exec('COMMIT');
        return result;
      } catch (error) {
        if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
        // What was read meanwhile is not so any more.
        this.#writes += 1;
        throw error;
      }
    });
  }

  /** Writes a consistent copy to a file that must not exist. @throws KannukiError KNK-SRV-0014 */
  async backup(target: string): Promise<void> {
    await makePrivateFile(target, constants.O_EXCL);
    translated(target, () => this.#database.prepare('VACUUM INTO ?').run(target));
    await syncFile(target);
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  #prepared(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  #translated<Result>(action: () => Result): Result {
    return translated(this.file, action);
  }
}

function openLocked(file: string): DatabaseSync {
  return translated(file, () => {
    const database = new DatabaseSync(file, { timeout: 0 });
    try {
      database.exec('PRAGMA locking_mode = EXCLUSIVE');
      database.exec('PRAGMA journal_mode = WAL');
      database.exec('PRAGMA synchronous = FULL');
      database.exec('PRAGMA foreign_keys = ON');
      database.exec('PRAGMA trusted_schema = OFF');
      // The first write transaction takes the lock that EXCLUSIVE then keeps.
      database.exec('BEGIN EXCLUSIVE; COMMIT');
      migrate(file, database);
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  });
}

/** Turns SQLite's errors into ours. Their texts name tables and conditions, never bound values. */
function translated<Result>(file: string, action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    const { code, errcode, errstr } = error as { code?: string; errcode?: number; errstr?: string };
    if (code !== 'ERR_SQLITE_ERROR' || errcode === undefined) throw error;
    if ((errcode & 0xff) === sqliteBusy) {
      throw new KannukiError('KNK-SRV-0001', { details: { directory: dirname(file) }, cause: error });
    }
    const reason = `SQLite says: ${errstr ?? 'error'} (${errcode})`;
    throw new KannukiError('KNK-SRV-0014', { details: { file, reason }, cause: error });
  }
}

/** SQLite gives its WAL file the mode of the database, so the database is made before SQLite can make it wider. */
async function makePrivateFile(file: string, flags = 0): Promise<void> {
  try {
    const handle = await open(file, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | flags, 0o600);
    await handle.close();
  } catch (error) {
    const reason = `it cannot be opened (${(error as NodeJS.ErrnoException).code})`;
    throw new KannukiError('KNK-SRV-0014', { details: { file, reason }, cause: error });
  }
}
