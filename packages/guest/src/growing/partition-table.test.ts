import assert from 'node:assert/strict';
import { test } from 'node:test';
import { growthOf, type MbrPartition, type PartitionTable } from './partition-table.ts';

const mebibyte = 1024 * 1024;
const sectors = (mib: number): number => (mib * mebibyte) / 512;

function mbr(...partitions: readonly MbrPartition[]): PartitionTable {
  return { label: 'dos', partitions };
}

function part(number: number, startMiB: number, sizeMiB: number, isExtended = false): MbrPartition {
  return { number, start: sectors(startMiB), size: sectors(sizeMiB), isExtended };
}

const on = (diskMiB: number, number: number) => ({ number, diskBytes: diskMiB * mebibyte, sectorBytes: 512 });

test('MBR: the last partition gets the room behind it in whole MiB, and never less than it has', () => {
  const table = mbr(part(1, 1, 10), part(2, 11, 20));
  const diskBytes = 100 * mebibyte + 512 * 3;
  assert.deepEqual(growthOf(table, { number: 2, diskBytes, sectorBytes: 512 }), {
    start: sectors(11),
    size: sectors(89),
    around: null,
  });
  const odd = mbr({ number: 1, start: 2048, size: 2049, isExtended: false });
  assert.deepEqual(growthOf(odd, { number: 1, diskBytes: (2048 + 2049) * 512, sectorBytes: 512 }), {
    start: 2048,
    size: 2049,
    around: null,
  });
});

test('MBR: a logical partition takes the extended one around it along', () => {
  const table = mbr(part(1, 1, 10), part(2, 11, 40, true), part(5, 12, 10), part(6, 23, 28));
  assert.deepEqual(growthOf(table, on(100, 6)), {
    start: sectors(23),
    size: sectors(77),
    around: part(2, 11, 89, true),
  });
  assert.equal(growthOf(table, on(100, 5)), 'not-last');
  assert.equal(growthOf(table, on(100, 1)), 'not-last');
});

test('MBR: the last one by its place, whatever its number', () => {
  const table = mbr(part(1, 30, 10), part(2, 1, 20));
  assert.equal(growthOf(table, on(100, 2)), 'not-last');
  assert.deepEqual(growthOf(table, on(100, 1)), { start: sectors(30), size: sectors(70), around: null });
});

test('MBR: an end of 2 TiB, since the table cannot say more', () => {
  const growth = growthOf(mbr(part(1, 1, 10)), on(4 * 1024 * 1024, 1));
  assert.ok(typeof growth !== 'string');
  assert.equal(growth.start + growth.size, sectors(2 * 1024 * 1024 - 1));
});

test('what is not known, or does not fit, is no growth', () => {
  assert.equal(growthOf(mbr(part(1, 1, 10)), on(100, 3)), 'unknown');
  assert.equal(growthOf(mbr(part(1, 1, 10)), on(8, 1)), 'beyond-end');
  assert.equal(growthOf({ label: 'other', name: 'sun' }, on(8, 1)), 'other-table');
});
