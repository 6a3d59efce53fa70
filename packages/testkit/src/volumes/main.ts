import { parseArgs } from 'node:util';
import { layouts } from './layouts/layouts.ts';
import { type MatrixOperationName, matrixOperationNames } from './operations.ts';
import type { Cell } from './result.ts';
import { runRow } from './run-row.ts';

/**
 * `npm run lab:volumes -- [--layout TEXT] [--operation NAME] [--short] [--json]`: every layout with every operation, each in a
 * lab machine of its own. Ends with 1 when a cell failed or is empty.
 */
const { values } = parseArgs({
  options: {
    layout: { type: 'string', default: '' },
    operation: { type: 'string' },
    short: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const operations = matrixOperationNames.filter((name) => values.operation === undefined || name === values.operation);
const chosen = layouts.filter(
  ({ name, inShort }) => name.includes(values.layout) && (!values.short || inShort === true),
);
if (operations.length === 0 || chosen.length === 0) {
  process.stderr.write(
    `usage: npm run lab:volumes -- [--layout TEXT] [--operation ${matrixOperationNames.join('|')}] [--short] [--json]\n`,
  );
  process.exit(2);
}

const rows: { readonly layout: string; readonly cells: readonly Cell[] }[] = [];
for (const layout of chosen) {
  const start = Date.now();
  const found = await runRow(layout, operations);
  // A row that stopped at a failure has not tried the rest.
  const cells = operations.map((name) => found.find(({ operation }) => operation === name) ?? empty(name));
  rows.push({ layout: layout.name, cells });
  process.stderr.write(`${layout.name} (${Math.round((Date.now() - start) / 1000)} s)\n`);
  for (const { operation, result, why } of cells) process.stderr.write(`  ${operation}: ${result} ${why ?? ''}\n`);
}
const cells = rows.flatMap((row) => row.cells);
const bad = cells.filter(({ result }) => result === 'FAILED' || result === 'no entry');
process.stdout.write(
  values.json
    ? `${JSON.stringify({ rows, cells: cells.length, bad: bad.length })}\n`
    : `${table(operations)}\n${bad.length} of ${cells.length} cells failed or are empty\n`,
);
process.exit(bad.length === 0 ? 0 : 1);

function empty(operation: MatrixOperationName): Cell {
  return { operation, result: 'no entry', why: null, seconds: 0 };
}

/** In Markdown, so that it can be put into a page as it is. */
function table(columns: readonly MatrixOperationName[]): string {
  const lines = rows.map(({ layout, cells: found }) => [layout, ...found.map(shown)]);
  const all = [['layout', ...columns], ['layout', ...columns].map(() => '---'), ...lines];
  return all.map((line) => `| ${line.join(' | ')} |`).join('\n');
}

function shown({ result, why }: Cell): string {
  return result === 'refused' ? `refused: ${why}` : result;
}
