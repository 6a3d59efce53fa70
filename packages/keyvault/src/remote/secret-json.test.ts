import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SecretBytes } from '@kannuki/core';
import fc from 'fast-check';
import { decodeBody, encodeBody } from './secret-json.ts';

const withoutValue = fc
  .dictionary(fc.string(), fc.jsonValue())
  .map((object) =>
    Object.fromEntries(Object.entries(object).filter(([name]) => name !== 'value' && name !== '__proto__')),
  )
  .map((object) => JSON.parse(JSON.stringify(object)) as Record<string, unknown>);

describe('a JSON body with a secret', () => {
  it('is what JSON says it is, and comes back as it went in', () => {
    fc.assert(
      fc.property(withoutValue, fc.option(fc.uint8Array({ maxLength: 64 })), (rest, secret) => {
        const value = secret === null ? undefined : SecretBytes.copy(secret);
        const body = encodeBody(rest, value);
        const expected = secret === null ? rest : { ...rest, value: Buffer.from(secret).toString('base64') };
        assert.deepEqual(JSON.parse(body.toString('utf8')), expected);
        const decoded = decodeBody(body);
        assert.deepEqual(decoded?.rest, rest);
        assert.deepEqual(decoded?.value?.bytes, secret ?? undefined);
      }),
    );
  });

  it('finds the value wherever it stands, and only at the top', () => {
    const decoded = decodeBody(
      Buffer.from('{"a":{"value":"inner"},"value" :\n"QUJD" , "b":["value",":"],"c":"\\"value\\":"}'),
    );
    assert.equal(Buffer.from(decoded?.value?.bytes ?? []).toString(), 'ABC');
    assert.deepEqual(decoded?.rest, { a: { value: 'inner' }, b: ['value', ':'], c: '"value":' });
  });

  it('refuses what is ambiguous or no such body', () => {
    const refused = [
      '{"value":"QUJD","value":"QUJE"}',
      '{"v\\u0061lue":"QUJD"}',
      '{"value":"QUJD","v\\u0061lue":"QUJE"}',
      '{"value":null}',
      '{"value":["QUJD"]}',
      '{"value":12}',
      '{"value":"QUJ"}',
      '{"value":"QU\\u004aD"}',
      '{"value":"not base64"}',
      '{"value":"QUJD"',
      '{"value":"QUJD',
      '["value","QUJD"]',
      '"value"',
      'null',
      '',
      '{"a":1}{"value":"QUJD"}',
    ];
    for (const body of refused) assert.equal(decodeBody(Buffer.from(body)), undefined, body);
  });

  it('never throws, whatever the bytes', () => {
    const pieces = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      '"',
      ':',
      ',',
      'value',
      '"value":',
      '\\',
      '"QUJD"',
      ' ',
      'null',
      '1',
    );
    const almost = fc.array(pieces, { maxLength: 30 }).map((parts) => Buffer.from(parts.join('')));
    fc.assert(
      fc.property(fc.oneof(almost, fc.uint8Array({ maxLength: 200 })), (body) => {
        const decoded = decodeBody(body);
        if (decoded !== undefined) assert.doesNotThrow(() => JSON.parse(Buffer.from(body).toString('utf8')));
      }),
      { numRuns: 3000 },
    );
    assert.equal(decodeBody(Buffer.alloc(65536, '[')), undefined);
    assert.equal(decodeBody(Buffer.from('{"a":'.repeat(10_000))), undefined);
  });
});
