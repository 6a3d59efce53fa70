import { parseArgs } from 'node:util';
import { layouts } from './layouts/layouts.ts';
import { matrixOperationNames } from './operations.ts';
import type { Cell } from './result.ts';
import { runMatrix } from './run-matrix.ts';
import { matrixTable } from './table.ts';

/**
 * `npm run lab:volumes -- [--layout TEXT …] [--operation NAME …] [--short] [--jobs N] [--json]`: every layout with every operation,
 * each layout in lab machines of its own. Ends with 1 when a cell failed or is empty.
 */
const { values } = parseArgs({
  options: {
    layout: { type: 'string', multiple: true },
    operation: { type: 'string', multiple: true },
    short: { type: 'boolean', default: false },
    jobs: { type: 'string', default: '2' },
    json: { type: 'boolean', default: false },
  },
});
const { layout: texts, operation: named } = values;
const operations = matrixOperationNames.filter((name) => named === undefined || named.includes(name));
const chosen = layouts.filter(
  ({ name, inShort }) =>
    (texts === undefined || texts.some((text) => name.includes(text))) && (!values.short || inShort === true),
);
const jobs = Number(values.jobs);
if (operations.length === 0 || chosen.length === 0 || !(Number.isInteger(jobs) && jobs > 0)) {
  process.stderr.write(
    `usage: npm run lab:volumes -- [--layout TEXT …] [--operation ${matrixOperationNames.join('|')} …] [--short] [--jobs N] [--json]\n`,
  );
  process.exit(2);
}

const start = Date.now();
const rows = await runMatrix(chosen, operations, {
  jobs,
  onRow: ({ layout, seconds, cells }) =>
    process.stderr.write(`${layout} (${seconds} s)\n${cells.map((cell) => `  ${lineOf(cell)}\n`).join('')}`),
});
const seconds = Math.round((Date.now() - start) / 1000);
const cells = rows.flatMap((row) => row.cells);
const bad = cells.filter(({ result }) => result === 'FAILED' || result === 'no entry');
process.stdout.write(
  values.json
    ? `${JSON.stringify({ rows, cells: cells.length, bad: bad.length, seconds })}\n`
    : `${matrixTable(rows, operations)}\n\n${bad.length} of ${cells.length} cells failed or are empty (${seconds} s)\n`,
);
process.exit(bad.length === 0 ? 0 : 1);

function lineOf({ operation, result, why, seconds: took }: Cell): string {
  return [`${operation}: ${result}`, ...(why === null ? [] : [why]), `(${took} s)`].join(' ');
}
