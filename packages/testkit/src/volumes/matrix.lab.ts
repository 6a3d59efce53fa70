import assert from 'node:assert/strict';
import { test } from 'node:test';
import { layouts } from './layouts/layouts.ts';
import { matrixOperationNames, matrixOperations } from './operations.ts';
import { runMatrix } from './run-matrix.ts';

test('the short matrix of layouts: each cell is done, or refused by the rule that it has to be', async () => {
  const operations = matrixOperationNames.filter((name) => matrixOperations[name] !== undefined);
  const short = layouts.filter(({ inShort }) => inShort === true);
  const rows = await runMatrix(short, operations, { jobs: 1, onRow: () => {} });
  const cells = rows.flatMap((row) => row.cells.map((cell) => ({ layout: row.layout, ...cell })));
  assert.equal(cells.length, short.length * operations.length);
  assert.deepEqual(
    cells.filter(({ result }) => !['done', 'begun', 'refused'].includes(result)),
    [],
  );
  assert.ok(cells.some(({ result }) => result === 'done') && cells.some(({ result }) => result === 'refused'));
});
