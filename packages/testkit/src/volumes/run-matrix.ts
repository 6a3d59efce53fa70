import type { Layout } from './layouts/layout.ts';
import type { MatrixOperationName } from './operations.ts';
import { runRow } from './run-row.ts';
import type { Row } from './table.ts';

/** Runs rows, some side by side, and gives them in the order of the layouts. An operation that was not tried has an empty cell. */
export async function runMatrix(
  layouts: readonly Layout[],
  operations: readonly MatrixOperationName[],
  { jobs, onRow }: { readonly jobs: number; readonly onRow: (row: Row) => void },
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  const waiting = [...layouts.entries()];
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, layout] = next;
      const row = await rowOf(layout, operations);
      rows[index] = row;
      onRow(row);
    }
  };
  await Promise.all(Array.from({ length: jobs }, worker));
  return rows;
}

async function rowOf(layout: Layout, operations: readonly MatrixOperationName[]): Promise<Row> {
  const start = Date.now();
  const found = await runRow(layout, operations);
  const cells = operations.map(
    (name) =>
      found.find(({ operation }) => operation === name) ?? {
        operation: name,
        result: 'no entry' as const,
        why: null,
        seconds: 0,
      },
  );
  return { layout: layout.name, seconds: Math.round((Date.now() - start) / 1000), cells };
}
