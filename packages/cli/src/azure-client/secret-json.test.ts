import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SecretBytes } from '@kannuki/core';
import fc from 'fast-check';
import { decodeJson, encodeJson } from './secret-json.ts';

const secretOf = (text: string): SecretBytes => SecretBytes.copy(Buffer.from(text, 'utf8'));

test('what is encoded is the JSON that JSON.stringify would write, as far as JSON.parse can tell', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary-ascii' }), (first, second) => {
      using one = secretOf(first);
      using two = secretOf(second);
      using body = encodeJson({ a: 1, value: one, more: { d: two, plain: first } });
      const parsed: unknown = JSON.parse(Buffer.from(body.bytes).toString('utf8'));
      assert.deepEqual(parsed, { a: 1, value: first, more: { d: second, plain: first } });
    }),
  );
});

test('what is decoded is what JSON.parse finds, whatever the spelling', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.json(), fc.boolean(), (text, other, escaped) => {
      const plain = JSON.stringify({ id: 'x', other: JSON.parse(other) as unknown, value: text });
      const body = escaped ? plain.replace(/[^\x20-\x7e]/g, (unit) => `\\u${hex(unit)}`) : plain;
      const decoded = decodeJson(Buffer.from(body, 'utf8'), 'value');
      using secret = decoded?.secret;
      assert.equal(Buffer.from(secret?.bytes ?? []).toString('utf8'), text);
      assert.deepEqual(decoded?.rest, { id: 'x', other: JSON.parse(other) as unknown });
    }),
  );
});

function hex(unit: string): string {
  return unit.charCodeAt(0).toString(16).padStart(4, '0');
}

test('members that are not the secret stay; nonsense and double members are refused', () => {
  const rows: [string, string | undefined | null][] = [
    ['{"value":null,"a":"b"}', null],
    ['{"value":["x"],"a":"value"}', null],
    ['{"inner":{"value":"x"}}', null],
    [' { "value" : "x" } ', 'x'],
    ['{"value":"a\\/b\\n\\ud83d\\ude00"}', 'a/b\n😀'],
    ['{"value":"x","value":"y"}', undefined],
    ['{"v\\u0061lue":"x"}', undefined],
    ['{"value":"\\ud83d"}', undefined],
    ['{"value":"\\x"}', undefined],
    ['{"value":"x"', undefined],
    ['["value","x"]', undefined],
    ['', undefined],
  ];
  for (const [body, expected] of rows) {
    const decoded = decodeJson(Buffer.from(body, 'utf8'), 'value');
    if (expected === undefined) assert.equal(decoded, undefined, body);
    else if (expected === null) assert.ok(decoded !== undefined && decoded.secret === undefined, body);
    else assert.equal(Buffer.from(decoded?.secret?.bytes ?? []).toString('utf8'), expected, body);
  }
});

test('a secret that is not text is refused, not changed', () => {
  using secret = SecretBytes.take(Uint8Array.of(0xff, 0xfe));
  assert.throws(() => encodeJson({ value: secret }), TypeError);
});
