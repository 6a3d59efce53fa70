import type { Operation } from '../resources/arm/operations.ts';
import { jsonOf, nullable, numberOf, textOf } from './columns.ts';
import type { Row, ServerDatabase } from './database.ts';

export class OperationStore {
  readonly #database: ServerDatabase;

  constructor(database: ServerDatabase) {
    this.#database = database;
  }

  add(operation: Operation): void {
    this.#database.change(
      'INSERT INTO operations (id, kind, subject, started_by, status, started_at) VALUES (?, ?, ?, ?, ?, ?)',
      operation.id,
      operation.kind,
      operation.subject,
      operation.startedBy,
      operation.status,
      operation.startedAt,
    );
  }

  end(id: string, status: Operation['status'], error: Operation['error'], endedAt: number): void {
    this.#database.change(
      'UPDATE operations SET status = ?, error = ?, ended_at = ? WHERE id = ?',
      status,
      error === null ? null : JSON.stringify(error),
      endedAt,
      id,
    );
  }

  find(id: string): Operation | undefined {
    const row = this.#database.one('SELECT * FROM operations WHERE id = ?', id);
    return row === undefined ? undefined : operationOf(row);
  }

  running(): readonly Operation[] {
    return this.#database.all('SELECT * FROM operations WHERE ended_at IS NULL ORDER BY started_at').map(operationOf);
  }

  /** Forgets what ended before a time, and the oldest of what ended where more than `most` are known. */
  forget(endedBefore: number, most: number): void {
    this.#database.change('DELETE FROM operations WHERE ended_at < ?', endedBefore);
    this.#database.change(
      `DELETE FROM operations WHERE ended_at IS NOT NULL AND id NOT IN
         (SELECT id FROM operations ORDER BY started_at DESC LIMIT ?)`,
      most,
    );
  }
}

function operationOf(row: Row): Operation {
  return {
    id: textOf(row, 'id'),
    kind: textOf(row, 'kind'),
    subject: textOf(row, 'subject'),
    startedBy: textOf(row, 'started_by'),
    status: textOf(row, 'status') as Operation['status'],
    error: nullable(row, 'error', (one, column) => jsonOf<NonNullable<Operation['error']>>(one, column)),
    startedAt: numberOf(row, 'started_at'),
    endedAt: nullable(row, 'ended_at', numberOf),
  };
}
