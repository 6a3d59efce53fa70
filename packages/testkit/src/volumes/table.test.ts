import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matrixTable } from './table.ts';

test('a refusal is its rule and the number of a note; the same words are one note', () => {
  const refused = { operation: 'format', result: 'refused', why: 'REQ-246: /dev/a: holds btrfs', seconds: 1 } as const;
  const done = { operation: 'encrypt', result: 'done', why: null, seconds: 1 } as const;
  const rows = [
    { layout: 'one', seconds: 2, cells: [done, refused] },
    { layout: 'two', seconds: 2, cells: [{ ...done, result: 'FAILED', why: 'lost' } as const, refused] },
  ];
  assert.equal(
    matrixTable(rows, ['encrypt', 'format']),
    [
      '| layout | encrypt | format |',
      '| --- | --- | --- |',
      '| one | done | REQ-246 (1) |',
      '| two | FAILED | REQ-246 (1) |',
      '',
      '1. REQ-246: /dev/a: holds btrfs',
    ].join('\n'),
  );
});
