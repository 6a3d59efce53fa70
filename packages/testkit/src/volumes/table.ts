import type { MatrixOperationName } from './operations.ts';
import type { Cell } from './result.ts';

/** One row as it came out: a cell for each operation that was asked for. */
export interface Row {
  readonly layout: string;
  readonly seconds: number;
  readonly cells: readonly Cell[];
}

/**
 * The matrix in Markdown, so that it can be put into a page as it is: refusals by their rule and a number, and below the table what
 * each says.
 */
export function matrixTable(rows: readonly Row[], columns: readonly MatrixOperationName[]): string {
  const notes: string[] = [];
  const noteOf = (why: string): number => {
    if (!notes.includes(why)) notes.push(why);
    return notes.indexOf(why) + 1;
  };
  const shown = ({ result, why }: Cell): string => {
    if (result !== 'refused') return result;
    const [rule = '', ...says] = (why ?? '').split(': ');
    return `${rule} (${noteOf(`${rule}: ${says.join(': ')}`)})`;
  };
  const lines = rows.map(({ layout, cells }) => [layout, ...cells.map(shown)]);
  const head = ['layout', ...columns];
  const table = [head, head.map(() => '---'), ...lines].map((line) => `| ${line.join(' | ')} |`);
  return [...table, '', ...notes.map((note, index) => `${index + 1}. ${note}`)].join('\n');
}
