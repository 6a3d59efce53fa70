import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { displayWidth, padToWidth, wrapToWidth } from './width.ts';

test('columns of characters', () => {
  const rows: [string, number][] = [
    ['', 0],
    ['abc', 3],
    ['暗号化', 6],
    ['ディスク', 8],
    ['ﾃﾞｨｽｸ', 5],
    ['ＡＢ', 4],
    ['「あ」', 6],
    ['한글', 4],
    ['é', 1],
    ['e\u0301', 1],
    ['か\u3099', 2],
    ['🔒', 2],
    ['𠮷野家', 6],
    ['a\u200bb', 2],
    ['½→…', 3],
  ];
  for (const [text, width] of rows) assert.equal(displayWidth(text), width, text);
});

test('padding counts columns, not characters', () => {
  assert.equal(padToWidth('暗号', 6), '暗号  ');
  assert.equal(padToWidth('長すぎる', 4), '長すぎる');
});

test('breaks at spaces and between Japanese characters, and keeps closing marks on their line', () => {
  assert.deepEqual(wrapToWidth('use another size', 8), ['use', 'another', 'size']);
  assert.deepEqual(wrapToWidth('別のサイズを選んでください', 12), ['別のサイズを', '選んでくださ', 'い']);
  assert.deepEqual(wrapToWidth('サイズです。次', 10), ['サイズで', 'す。次']);
  assert.deepEqual(wrapToWidth('', 10), ['']);
});

test('no line is too wide and no character is lost, for any text', () => {
  const anyText = fc.string({
    unit: fc.constantFrom('a', 'b', ' ', '暗', 'ん', '。', '🔒', 'e\u0301', '-'),
    maxLength: 60,
  });
  fc.assert(
    fc.property(anyText, fc.integer({ min: 4, max: 30 }), (text, width) => {
      const lines = wrapToWidth(text, width);
      for (const line of lines) assert.ok(displayWidth(line) <= width, line);
      assert.equal(lines.join('').replaceAll(' ', ''), text.replaceAll(' ', ''));
    }),
  );
});
