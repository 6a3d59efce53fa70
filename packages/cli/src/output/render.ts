import type { CommandResult } from '../program/command.ts';
import type { OutputFormat } from '../program/common-options.ts';
import { printable } from './printable.ts';
import { applyQuery } from './query.ts';
import { cellText, isRecord, renderTable, tableOf } from './table.ts';

export interface RenderOptions {
  readonly format: OutputFormat;
  /** JMESPath; undefined = the whole result. */
  readonly query: string | undefined;
  /** Width of the terminal; undefined where the reader is no terminal. */
  readonly columns: number | undefined;
  /** JSON on one line, for a stream of events. */
  readonly compact: boolean;
}

/** A command's result as text for standard output; '' where there is nothing to say. */
export async function renderResult(result: CommandResult, options: RenderOptions): Promise<string> {
  if (result.data === undefined) return options.format === 'json' || !result.text ? '' : endLine(result.text);
  const data = options.query === undefined ? result.data : await applyQuery(options.query, result.data);
  switch (options.format) {
    case 'json':
      return renderJson(data, options.compact);
    case 'tsv':
      return renderTsv(data);
    case 'table': {
      if (options.query !== undefined) return renderTable(tableOf(data), options.columns);
      if (result.text !== undefined) return endLine(result.text);
      return renderTable(result.table?.() ?? tableOf(data), options.columns);
    }
  }
}

/** JSON in which no control character is left raw, so that it is safe on a terminal as well. */
export function renderJson(data: unknown, compact = false): string {
  const json = JSON.stringify(data ?? null, undefined, compact ? undefined : 2);
  return `${json.replace(/[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, unicodeEscape)}\n`;
}

function unicodeEscape(character: string): string {
  return `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;
}

/** Values only, one item a line, separated by tabs; for `cut`, `read` and spreadsheets. */
export function renderTsv(data: unknown): string {
  const items = Array.isArray(data) ? data : [data];
  return items
    .map((item: unknown) => {
      const values: unknown[] = isRecord(item) ? Object.values(item) : Array.isArray(item) ? item : [item];
      return `${values.map((value) => printable(cellText(value))).join('\t')}\n`;
    })
    .join('');
}

function endLine(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}
