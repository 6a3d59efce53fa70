import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseJsonObject, textSpans, withoutText } from './json-text.ts';

function found(text: string, path: readonly string[]): string[] | undefined {
  const body = Buffer.from(text);
  return textSpans(body, path)?.map(({ start, end }) => body.toString('utf8', start, end));
}

test('a text is found at its path and nowhere else', () => {
  const rows: readonly (readonly [string, readonly string[], string[] | undefined])[] = [
    ['{"value":"a"}', ['value'], ['a']],
    [' { "x" : [ {"value":"no"} ] , "value" : "yes" } ', ['value'], ['yes']],
    ['{"value":{"value":"deep"}}', ['value'], []],
    ['{"value":{"value":"deep"}}', ['value', 'value'], ['deep']],
    ['{"data":{"a":1,"data":{"b":"t"}}}', ['data', 'data', 'b'], ['t']],
    ['{"value":5,"other":"x"}', ['value'], []],
    ['{"value":"a","value":"b"}', ['value'], ['a', 'b']],
    ['{"a":"value","b":"x"}', ['value'], []],
    ['{"value":"with \\" and \\\\"}', ['value'], ['with \\" and \\\\']],
    ['["value","x"]', ['value'], []],
    ['{"value":"open', ['value'], undefined],
    ['}', ['value'], undefined],
    ['['.repeat(65), ['value'], undefined],
  ];
  for (const [text, path, expected] of rows) assert.deepEqual(found(text, path), expected, text);
});

test('for any object: taking the text out leaves the rest as it was, and finds just that text', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })), fc.string(), (others, secret) => {
      const { value: _gone, ...rest } = Object.fromEntries(
        Object.entries(others).filter(([name]) => name !== '__proto__'),
      );
      const body = Buffer.from(JSON.stringify({ ...rest, value: secret }));
      const spans = textSpans(body, ['value']);
      assert.equal(spans?.length, 1);
      const [span = { start: 0, end: 0 }] = spans ?? [];
      assert.equal(JSON.parse(`"${body.toString('utf8', span.start, span.end)}"`), secret);
      assert.deepEqual(parseJsonObject(withoutText(body, span)), JSON.parse(JSON.stringify({ ...rest, value: '' })));
    }),
    { numRuns: 500 },
  );
});

test('whatever the bytes are: no exception, and no place outside of them', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      for (const { start, end } of textSpans(bytes, ['value']) ?? []) assert.ok(start <= end && end <= bytes.length);
      parseJsonObject(bytes);
    }),
    { numRuns: 1000 },
  );
});
