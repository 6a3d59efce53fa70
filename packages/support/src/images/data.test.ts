import assert from 'node:assert/strict';
import { test } from 'node:test';
import { supportRules } from '../rules/rules.ts';
import { endOfLifeOf } from './end-of-life.ts';
import { offerKey } from './urn.ts';

const rules = supportRules();

test('REQ-029: the table has exactly 60 rows, by publisher', () => {
  const counts = Object.groupBy(rules.images, (image) => image.urn.publisher);
  const perPublisher = Object.fromEntries(Object.entries(counts).map(([name, rows]) => [name, rows?.length]));
  assert.deepEqual(perPublisher, {
    Canonical: 8,
    MicrosoftCBLMariner: 2,
    OpenLogic: 12,
    Oracle: 4,
    RedHat: 31,
    SUSE: 3,
  });
  assert.equal(new Set(rules.images.map((image) => offerKey(image.urn))).size, 60);
});

test('REQ-035: each of the 60 rows has one end of life, with a source', () => {
  for (const image of rules.images) {
    const { publisher, offer, sku } = image.urn;
    const rows = rules.endOfLife.filter(
      (row) => row.publisher === publisher && row.offer === offer && row.skus.includes(sku),
    );
    assert.equal(rows.length, 1, offerKey(image.urn));
    assert.equal(endOfLifeOf(image, rules), rows[0]);
  }
  const listed = rules.endOfLife.flatMap((row) => row.skus);
  assert.equal(listed.length, 60, 'no end of life is for an image that is not in the table');
});

test('REQ-014: the size table has 1558 sizes, no two of one name', () => {
  assert.equal(rules.sizes.length, 1558);
  assert.equal(new Set(rules.sizes.map((size) => size.name.toLowerCase())).size, 1558);
});

test('data: rows that say no temporary disk have the size 0, and unknown stays unknown', () => {
  for (const size of rules.sizes) {
    if (size.temporaryDiskKind === 'none') assert.equal(size.temporaryDiskMib, 0, size.name);
    else if (size.temporaryDiskKind === 'unknown') assert.equal(size.temporaryDiskMib, null, size.name);
    else assert.ok((size.temporaryDiskMib ?? 0) > 0, size.name);
  }
});
