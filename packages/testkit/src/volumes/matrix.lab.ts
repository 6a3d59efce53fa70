import assert from 'node:assert/strict';
import { test } from 'node:test';
import { layouts } from './layouts/layouts.ts';
import { matrixOperationNames, matrixOperations } from './operations.ts';
import { runRow } from './run-row.ts';

/** The short matrix; all of it is `npm run lab:volumes`. */
const registered = matrixOperationNames.filter((name) => matrixOperations[name] !== undefined);

for (const layout of layouts.filter(({ inShort }) => inShort === true)) {
  test(`${layout.name}: ${registered.join(', ')}`, async () => {
    const cells = await runRow(layout, registered);
    const wanted = registered.map((name) => [name, layout.refused?.[name] === undefined ? 'done' : 'refused']);
    assert.deepEqual(
      cells.map(({ operation, result }) => [operation, result]),
      wanted,
      JSON.stringify(cells, null, 2),
    );
  });
}

test('no layout has the name of another, and each cell that is to be refused names a rule', () => {
  assert.equal(new Set(layouts.map(({ name }) => name)).size, layouts.length);
  for (const { refused = {} } of layouts)
    for (const { rule } of Object.values(refused)) assert.match(rule, /^REQ-\d{3}$/);
});
