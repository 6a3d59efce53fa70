import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasCode } from '@kannuki/core';
import { printable } from './printable.ts';
import { renderJson, renderResult, renderTsv } from './render.ts';
import { renderTable } from './table.ts';
import { displayWidth } from './width.ts';

const volumes = [
  { name: 'data0', state: 'Encrypted', percent: 100, key: { source: 'vault' }, mount: null },
  { name: 'データ', state: 'Locked', percent: 0, key: { source: 'none' }, mount: '/mnt' },
];

const plain = { query: undefined, columns: undefined, compact: false } as const;

test('json: the data as it is, keys and all', async () => {
  const text = await renderResult({ data: volumes }, { ...plain, format: 'json' });
  assert.deepEqual(JSON.parse(text), volumes);
});

test('json: no control character is left raw, and the text still parses to the same', () => {
  const data = { label: 'a\u001b[31m\u009b31m\u202e\u0000\u2028' };
  const text = renderJson(data);
  assert.doesNotMatch(text, /[^\n\x20-\x7e]/);
  assert.deepEqual(JSON.parse(text), data);
});

test('table: Japanese stands in line', async () => {
  const text = await renderResult({ data: volumes }, { ...plain, format: 'table' });
  const lines = text.trimEnd().split('\n');
  assert.equal(lines[0], 'Name    State      Percent  Mount');
  assert.equal(lines[3], 'データ  Locked     0        /mnt');
  assert.equal(lines.length, 4);
});

test('table: the command’s own table is used, but not after a query', async () => {
  const result = { data: volumes, table: () => ({ columns: [{ title: 'Only' }], rows: [['x']] }) };
  assert.match(await renderResult(result, { ...plain, format: 'table' }), /^Only/);
  const queried = await renderResult(result, { ...plain, format: 'table', query: '[].{N:name}' });
  assert.match(queried, /^N\n/);
});

test('table: fits a terminal by breaking the columns that may be broken', () => {
  const message = 'OS ボリュームの暗号化には 8 GB のメモリが必要ですが、VM のメモリは 3.5 GB です';
  const table = { columns: [{ title: 'Rule' }, { title: 'Message', wrap: true }], rows: [['REQ-023', message]] };
  for (const columns of [40, 60, 79]) {
    const lines = renderTable(table, columns).trimEnd().split('\n');
    for (const line of lines) assert.ok(displayWidth(line) <= columns, line);
    assert.equal(
      lines
        .slice(2)
        .map((line) => line.slice(9))
        .join('')
        .replaceAll(' ', ''),
      message.replaceAll(' ', ''),
    );
  }
});

test('table: hostile text cannot reach the terminal', () => {
  const text = renderTable({ columns: [{ title: 'Label' }], rows: [['\u001b]0;owned\u0007\nfake row\u009b2J']] });
  assert.doesNotMatch(text.replaceAll('\n', ''), /\p{Cc}/u);
  assert.equal(text.split('\n').length, 4, 'one row stays one row');
});

test('tsv: values only, a line an item; tabs and line ends inside values are escaped', () => {
  assert.equal(
    renderTsv([
      { a: 1, b: 'x\ty\nz' },
      { a: null, b: true },
    ]),
    '1\tx\\ty\\nz\n\ttrue\n',
  );
  assert.equal(renderTsv('one'), 'one\n');
  assert.equal(renderTsv(['a', 'b']), 'a\nb\n');
  assert.equal(renderTsv([]), '');
});

test('query: JMESPath as in az, in every form', async () => {
  const query = "[?state=='Encrypted'].name";
  assert.equal(await renderResult({ data: volumes }, { ...plain, format: 'tsv', query }), 'data0\n');
  assert.deepEqual(JSON.parse(await renderResult({ data: volumes }, { ...plain, format: 'json', query })), ['data0']);
});

test('query: a wrong one is a usage error', async () => {
  await assert.rejects(
    renderResult({ data: volumes }, { ...plain, format: 'json', query: '[?' }),
    (error) => hasCode(error, 'KNK-CLI-0006') && error.exitCode === 2,
  );
});

test('text for people is for people only', async () => {
  const result = { data: { step: 1 }, text: '1. open\n' };
  assert.equal(await renderResult(result, { ...plain, format: 'table' }), '1. open\n');
  assert.deepEqual(JSON.parse(await renderResult(result, { ...plain, format: 'json' })), { step: 1 });
  assert.equal(await renderResult({}, { ...plain, format: 'json' }), '');
});

test('printable keeps what is harmless', () => {
  assert.equal(printable('暗号 é 🔒 ~'), '暗号 é 🔒 ~');
});
