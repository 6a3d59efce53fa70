import type { Row } from './database.ts';

/** Typed reading of columns. The tables are STRICT, so a wrong type here is a bug and not bad data. */

export function textOf(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== 'string') throw new TypeError(`column ${column} is not text`);
  return value;
}

export function numberOf(row: Row, column: string): number {
  const value = row[column];
  if (typeof value !== 'number') throw new TypeError(`column ${column} is not a number`);
  return value;
}

export function bytesOf(row: Row, column: string): Uint8Array {
  const value = row[column];
  if (!(value instanceof Uint8Array)) throw new TypeError(`column ${column} is not bytes`);
  return value;
}

export function nullable<Value>(row: Row, column: string, read: (row: Row, column: string) => Value): Value | null {
  return row[column] === null ? null : read(row, column);
}

/** JSON that we ourselves have written. */
export function jsonOf<Value>(row: Row, column: string): Value {
  return JSON.parse(textOf(row, column)) as Value;
}
