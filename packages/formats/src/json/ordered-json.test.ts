import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isObject, JsonProblem, parseJson, printJson } from './ordered-json.ts';

test('order, digits and names are kept', () => {
  const text = '{"2":[],"1":{},"__proto__":1,"n":12345678901234567890,"e":-1.50e+300,"t":true,"x":null,"/":"a/b\\n閂"}';
  assert.equal(printJson(parseJson(text)), text);
  const value = parseJson(text);
  assert.ok(isObject(value));
  assert.deepEqual([...value.keys()].slice(0, 3), ['2', '1', '__proto__']);
});

test('what JSON.parse takes, we take, with the same meaning', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 8 }), (text) => {
      assert.deepEqual(JSON.parse(printJson(parseJson(text))), JSON.parse(text));
    }),
  );
});

test('what JSON.parse refuses, we refuse', () => {
  const piece = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"a"',
    '"',
    '\\',
    '1',
    '-',
    '0',
    '.5',
    'e1',
    'true',
    'nul',
    ' ',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const text = pieces.join('');
      let isJson = true;
      try {
        JSON.parse(text);
      } catch {
        isJson = false;
      }
      if (isJson) return;
      assert.throws(() => parseJson(text), JsonProblem);
    }),
    { numRuns: 2000 },
  );
});

test('nesting is bounded, at 32 as in json-c', () => {
  assert.doesNotThrow(() => parseJson('['.repeat(32) + ']'.repeat(32)));
  assert.throws(() => parseJson('['.repeat(33) + ']'.repeat(33)), /nested/);
  assert.throws(() => parseJson('{"a":'.repeat(1_000_000)), /nested/);
});

test('long texts are read in linear time and without the stack', () => {
  assert.equal(printJson(parseJson(`"${'\\\\'.repeat(2_000_000)}"`)).length, 4_000_002);
  assert.throws(() => parseJson(`"${'a'.repeat(4_000_000)}`), /without end/);
  assert.throws(() => parseJson(`[${'1,'.repeat(500_000)}`), /value is expected/);
});
