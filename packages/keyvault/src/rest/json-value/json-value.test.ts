import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SecretBytes } from '@kannuki/core';
import fc from 'fast-check';
import { decodeBase64Url } from './base64url.ts';
import { encodeJson } from './encode.ts';
import { type BytePlan, type JsonValue, maximumJsonDepth, type ParsedJson, parseJson } from './parse.ts';

const plan: BytePlan = new Map<string, 'bytes' | BytePlan>([
  ['value', 'bytes'],
  ['key', new Map([['d', 'bytes']])],
]);

/** Back to what JSON.parse makes, secrets as text. */
function plainOf(value: JsonValue): unknown {
  if (value instanceof SecretBytes) return Buffer.from(value.bytes).toString('utf8');
  if (value instanceof Map) return Object.fromEntries([...value].map(([name, inner]) => [name, plainOf(inner)]));
  if (Array.isArray(value)) return value.map((inner: JsonValue) => plainOf(inner));
  return value;
}

function valueIn(parsed: ParsedJson | undefined): SecretBytes {
  assert.ok(parsed?.root instanceof Map);
  const value: unknown = parsed.root.get('value');
  assert.ok(value instanceof SecretBytes);
  return value;
}

function readPlain(text: string | Uint8Array, used: BytePlan | null = plan): unknown {
  using parsed = parseJson(Buffer.from(text), used);
  return parsed === undefined ? undefined : plainOf(parsed.root);
}

function nativeParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const wellFormed = fc.string({ unit: 'binary', maxLength: 60 });
const json = fc.jsonValue({ maxDepth: 5, stringUnit: 'grapheme' });

describe('JSON with values as bytes', () => {
  it('reads what JSON.parse reads, whatever is secret in it', () => {
    fc.assert(
      fc.property(json, wellFormed, fc.constantFrom(0, 1, 2), (rest, secret, indent) => {
        const text = JSON.stringify({ rest, value: secret, key: { d: secret, n: 'n' }, list: [rest] }, null, indent);
        assert.deepEqual(readPlain(text), JSON.parse(text));
        assert.deepEqual(readPlain(text, null), JSON.parse(text));
      }),
    );
  });

  it('undoes every escape of a secret to UTF-8', () => {
    const escaped = (text: string) =>
      Array.from({ length: text.length }, (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`).join(
        '',
      );
    fc.assert(
      fc.property(wellFormed, (secret) => {
        using parsed = parseJson(Buffer.from(`{"value":"${escaped(secret)}"}`), plan);
        const value = valueIn(parsed);
        assert.deepEqual(Buffer.from(value.bytes), Buffer.from(secret));
      }),
    );
  });

  it('writes a value as JSON.stringify does, and reads it back', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.string()), wellFormed, (rest, secret) => {
        const { value: _, ...others } = rest;
        const body = encodeJson(others, { form: 'text', bytes: Buffer.from(secret) });
        assert.equal(body.toString('utf8'), JSON.stringify({ ...others, value: secret }));
        assert.deepEqual(readPlain(body), JSON.parse(body.toString('utf8')));
        assert.equal(encodeJson(others, null).toString('utf8'), JSON.stringify(others));
      }),
    );
  });

  it('says yes and no as JSON.parse does, but for depth and half surrogates', () => {
    const tokens = '{|}|[|]|"|:|,|"value":|\\|"a"| |null|tru|e|1|-|.|0|E5|\\u00|41|\\n|\\x|é|\u0001|{"value":"|"}|\t';
    const pieces = fc.constantFrom(...tokens.split('|'));
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 14 }), (parts) => {
        const text = parts.join('');
        assert.deepEqual(readPlain(text), nativeParse(text), text);
      }),
      { numRuns: 3000 },
    );
  });

  const refused: Record<string, string | Uint8Array> = {
    'half a surrogate pair': '{"value":"\\ud800"}',
    'the wrong half first': '{"value":"\\udc00\\ud800"}',
    'half a pair in a name': '{"\\ud800":1}',
    'half a pair before text': '{"value":"\\ud83dx"}',
    'an escape cut by the end of the text': '{"value":"\\u00"}',
    'bytes that are no UTF-8': Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
    'too deep': `${'['.repeat(maximumJsonDepth + 2)}${']'.repeat(maximumJsonDepth + 2)}`,
    'very deep': '['.repeat(50_000),
    'a long number': '1'.repeat(500),
    nothing: '',
    'two documents': '{}{}',
  };
  for (const [what, text] of Object.entries(refused)) {
    it(`refuses ${what}`, () => assert.equal(readPlain(text), undefined));
  }

  it('takes the last of two members and wipes all of them', () => {
    const parsed = parseJson(Buffer.from('{"value":"first","value":"se\\u0063ond"}'), plan);
    const value = valueIn(parsed);
    const bytes = value.bytes;
    assert.equal(Buffer.from(bytes).toString(), 'second');
    parsed?.[Symbol.dispose]();
    assert.deepEqual([...bytes], Array(6).fill(0));
    assert.throws(() => value.bytes);
  });

  it('keeps as bytes whatever stands where a secret is expected', () => {
    const isBytes = (value: unknown): boolean =>
      value instanceof SecretBytes ||
      (value instanceof Map ? [...value.values()] : (value as unknown[])).every(isBytes);
    for (const text of ['{"value":["a",["b"]]}', '{"value":{"a":"b","c":["d"]}}', '{"v\\u0061lue":"a"}']) {
      using parsed = parseJson(Buffer.from(text), plan);
      assert.ok(isBytes(parsed?.root), text);
    }
  });

  it('a member called __proto__ is a member', () => {
    const parsed = parseJson(Buffer.from('{"__proto__":{"enabled":true}}'), null);
    assert.ok(parsed?.root instanceof Map);
    assert.equal(parsed.root.has('enabled'), false);
    assert.equal(Object.getPrototypeOf(parsed.root), Map.prototype);
  });
});

describe('base64url', () => {
  it('goes there and back, padded or not, as Buffer does', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        const body = JSON.parse(encodeJson({}, { form: 'base64url', bytes }).toString()) as { value: string };
        assert.equal(body.value, Buffer.from(bytes).toString('base64url'));
        const padded = body.value.padEnd(Math.ceil(body.value.length / 4) * 4, '=');
        for (const text of [body.value, padded]) {
          assert.deepEqual(decodeBase64Url(Buffer.from(text))?.bytes, bytes);
        }
      }),
    );
  });

  it('takes nothing else', () => {
    for (const text of ['A', 'AB=', 'AB+/', 'A===', 'AB C', 'AAAA=', 'AAAA====', 'AB', 'AAF', '=', 'AÄ']) {
      assert.equal(decodeBase64Url(Buffer.from(text)), undefined, text);
    }
  });
});
