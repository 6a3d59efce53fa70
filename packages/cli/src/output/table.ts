import { printable } from './printable.ts';
import { displayWidth, padToWidth, wrapToWidth } from './width.ts';

export interface Column {
  readonly title: string;
  /** Numbers stand at the right edge. */
  readonly align?: 'left' | 'right';
  /** May be broken into several lines where the terminal is too narrow. */
  readonly wrap?: boolean;
}

export interface Table {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly string[])[];
}

const gap = '  ';
const narrowestWrapped = 20;

/**
 * A table for people, with right columns for Japanese text too.
 * @param columns width of the terminal; undefined = no limit (a file or a pipe)
 */
export function renderTable(table: Table, columns?: number): string {
  const cells = table.rows.map((row) => table.columns.map((_, index) => printable(row[index] ?? '')));
  const widths = table.columns.map((column, index) =>
    Math.max(displayWidth(column.title), ...cells.map((row) => displayWidth(row[index] ?? ''))),
  );
  fitWidths(widths, table.columns, columns);
  const lines = [
    joinCells(table.columns.map((column, index) => align(column.title, widths[index] ?? 0, column))),
    joinCells(widths.map((width) => '-'.repeat(width))),
  ];
  for (const row of cells) lines.push(...rowLines(row, widths, table.columns));
  return `${lines.join('\n')}\n`;
}

/** Takes what is too much from the columns that may wrap, each in proportion to its width. */
function fitWidths(widths: number[], columns: readonly Column[], limit: number | undefined): void {
  if (limit === undefined) return;
  const excess = widths.reduce((sum, width) => sum + width, 0) + gap.length * (widths.length - 1) - limit;
  if (excess <= 0) return;
  const wrapped = columns.flatMap((column, index) => (column.wrap === true ? [index] : []));
  const shared = wrapped.reduce((sum, index) => sum + (widths[index] ?? 0), 0);
  for (const index of wrapped) {
    const width = widths[index] ?? 0;
    widths[index] = Math.max(Math.min(width, narrowestWrapped), Math.floor(width - (excess * width) / shared));
  }
}

function rowLines(row: readonly string[], widths: readonly number[], columns: readonly Column[]): string[] {
  const wrapped = row.map((cell, index) => {
    const width = widths[index] ?? 0;
    return displayWidth(cell) > width ? wrapToWidth(cell, width) : [cell];
  });
  const height = Math.max(1, ...wrapped.map((lines) => lines.length));
  return Array.from({ length: height }, (_, line) =>
    joinCells(columns.map((column, index) => align(wrapped[index]?.[line] ?? '', widths[index] ?? 0, column))),
  );
}

function align(text: string, width: number, column: Column): string {
  return column.align === 'right'
    ? ' '.repeat(Math.max(0, width - displayWidth(text))) + text
    : padToWidth(text, width);
}

function joinCells(cells: readonly string[]): string {
  return cells.join(gap).trimEnd();
}

/** A table made from the data itself: the columns are the keys that have plain values, as az does. */
export function tableOf(data: unknown): Table {
  const items = Array.isArray(data) ? data : [data];
  if (items.every(isRecord)) {
    const keys = [...new Set(items.flatMap((item) => Object.keys(item)))];
    const plain = keys.filter((key) => items.some((item) => isPlain(item[key])));
    return {
      columns: plain.map((key) => ({ title: titleOf(key), wrap: true })),
      rows: items.map((item) => plain.map((key) => cellText(item[key]))),
    };
  }
  if (items.every(Array.isArray)) {
    const count = Math.max(0, ...items.map((item) => item.length));
    return {
      columns: Array.from({ length: count }, (_, index) => ({ title: `Column${index + 1}`, wrap: true })),
      rows: items.map((item) => item.map(cellText)),
    };
  }
  return { columns: [{ title: 'Result', wrap: true }], rows: items.map((item) => [cellText(item)]) };
}

/** One value as a cell: nothing for null, JSON for what is nested. */
export function cellText(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return JSON.stringify(value);
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isPlain(value: unknown): boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}

/** `mountPoint` → `MountPoint`. */
function titleOf(key: string): string {
  return key.charAt(0).toUpperCase() + key.slice(1);
}
