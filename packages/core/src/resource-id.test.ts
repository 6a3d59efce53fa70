import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseResourceId, resourceIdText, scopeHolds, vaultResourceId } from './resource-id.ts';

const subscription = '/subscriptions/11111111-2222-3333-4444-555555555555';

test('ids are read in any letter case and written in the one form', () => {
  const vault = vaultResourceId(subscription.split('/')[2] ?? '', 'rg1', 'Kv1');
  const rows: readonly (readonly [string, string])[] = [
    [subscription, subscription],
    [`${subscription}/`, subscription],
    [`${subscription}/resourcegroups/Rg-1.(x)`, `${subscription}/resourceGroups/Rg-1.(x)`],
    [vault, vault],
    [`${vault}/keys/k`, `${vault}/keys/k`],
  ];
  for (const [text, written] of rows) {
    const parsed = parseResourceId(text);
    assert.ok(parsed !== undefined, text);
    assert.equal(resourceIdText(parsed), written);
  }
});

test('what is no id is none', () => {
  const rows = [
    '',
    '/',
    'subscriptions/x',
    '/subscriptions',
    '/subscriptions//',
    `${subscription}/resourceGroups`,
    `${subscription}/groups/x`,
    `${subscription}/resourceGroups/a/providers`,
    `${subscription}/resourceGroups/a/providers/P`,
    `${subscription}/resourceGroups/a/providers/P/t`,
    `${subscription}/resourceGroups/a/providers/P/t/n/t`,
    `${subscription}/resourceGroups/a%2fb`,
    `${subscription}/resourceGroups/a?b`,
    `${subscription}/resourceGroups/${'x'.repeat(3000)}`,
    `${subscription}/resourceGroups/a/providers/P${'/t/n'.repeat(5)}`,
  ];
  for (const text of rows) assert.equal(parseResourceId(text), undefined, text);
});

test('a scope holds itself and what is below it, not its namesakes', () => {
  const group = `${subscription}/resourceGroups/rg1`;
  assert.ok(scopeHolds(subscription, group.toUpperCase()));
  assert.ok(scopeHolds(group, group));
  assert.ok(scopeHolds(group, `${group}/providers/P/t/n`));
  assert.ok(!scopeHolds(group, `${group}0/providers/P/t/n`));
  assert.ok(!scopeHolds(group, subscription));
});
