import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { hasCode, SecretBytes } from '@kannuki/core';
import fc from 'fast-check';
import { printJson } from '../json/ordered-json.ts';
import { readLuks2Header } from './header.ts';
import { decodeHeaderRecord, encodeHeaderRecord, headerRecordLimit } from './header-record.ts';
import { edited } from './testing/edit-header.ts';
import { loadRecording } from './testing/recording.ts';

const { states, volumeKey } = loadRecording('reencrypt-journal');
const header = readLuks2Header(states[0]?.header ?? assert.fail('the recording is empty')).newest;
const wrapping = { algorithm: 'RSA-OAEP-256', keyId: 'https://v.vault.azure.net/keys/k/0123' };

test('a bare volume key survives, and is in no string', () => {
  using key = SecretBytes.copy(Buffer.from(volumeKey, 'hex'));
  using record = encodeHeaderRecord(header, { wrapping: null, value: key });
  assert.equal(key.length, 64, 'the caller still owns its key');
  const { volumeKey: back, ...rest } = decodeHeaderRecord(record);
  assert.ok(back.wrapping === null && back.value.equals(key));
  assert.equal(JSON.stringify(back), '{"wrapping":null,"value":"[secret]"}');
  assert.deepEqual([rest.uuid, rest.headerSize, rest.sequenceId], [header.uuid, 16384, header.sequenceId]);
  assert.equal(
    printJson(rest.metadata.raw),
    printJson(header.metadata.raw),
    'the metadata is the same, to the last byte',
  );
});

test('a wrapped volume key survives with what unwraps it', () => {
  const value = randomBytes(256);
  const kept = Uint8Array.from(value);
  using record = encodeHeaderRecord(header, { wrapping, value });
  const { volumeKey: back } = decodeHeaderRecord(record);
  assert.ok(back.wrapping !== null);
  assert.deepEqual(back.wrapping, wrapping);
  assert.deepEqual(new Uint8Array(back.value), kept);
  assert.ok(record.length < headerRecordLimit);
  assert.equal(JSON.parse(Buffer.from(record.bytes).toString()).volumeKey.value, value.toString('base64'));
});

test('keys of any length survive', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 600 }), (value) => {
      using record = encodeHeaderRecord(header, { wrapping, value });
      assert.deepEqual(new Uint8Array(decodeHeaderRecord(record).volumeKey.value as Uint8Array), value);
    }),
  );
});

test('a record that no vault secret can hold is refused', () => {
  const fat = edited(states[0]?.header ?? new Uint8Array(0), (json) => {
    json.tokens['9'] = { type: 'x', keyslots: [], text: 'y'.repeat(6000) };
  });
  const large = readLuks2Header(fat).newest;
  assert.throws(
    () => encodeHeaderRecord(large, { wrapping, value: new Uint8Array(13_000) }),
    (error) => hasCode(error, 'KNK-FMT-0107'),
  );
});

const good = ((): string => {
  using record = encodeHeaderRecord(header, { wrapping, value: Buffer.from('wrapped bytes') });
  return Buffer.from(record.bytes).toString();
})();

const bad: readonly (readonly [string, string])[] = [
  ['nothing', ''],
  ['half of it', good.slice(0, 400)],
  ['something else', '{"a":"b"}'],
  ['its end only', '"}}'],
  ['a newer version', good.replace('"kannukiHeaderRecord":1', '"kannukiHeaderRecord":2')],
  ['the key elsewhere', good.replace(/"volumeKey":(.*)\}$/, '"volumeKey":$1,"more":{"x":"y"}}')],
  ['no key', good.replace(/"value":"[^"]*"/, '"value":""')],
  ['a key that is no base64', good.replace(/"value":"..../, '"value":"=AA=')],
  ['a key without its padding', good.replace(/=+"\}\}$/, '"}}')],
  ['another text in the key', good.replace('"value":"', '"value":"*')],
  ['an impossible size', good.replace('"headerSize":16384', '"headerSize":16385')],
  ['a negative sequence number', good.replace(/"sequenceId":"\d+"/, '"sequenceId":"-1"')],
  ['no uuid', good.replace(/"uuid":"[^"]*",/, '')],
  ['damaged metadata', good.replace('"pbkdf2"', '"scrypt"')],
  ['a name twice', good.replace('{', '{"uuid":"x",')],
  ['too much', good.replace('"label":""', `"label":"${'x'.repeat(30_000)}"`)],
];

for (const [what, text] of bad) {
  test(`a bad record is refused: ${what}`, () => {
    assert.notEqual(text, good);
    assert.throws(
      () => decodeHeaderRecord(SecretBytes.take(Buffer.from(text))),
      (error) => hasCode(error, 'KNK-FMT-0106'),
    );
  });
}

test('random changes to a record never crash the reader', () => {
  const change = fc.record({ at: fc.nat(good.length - 1), byte: fc.nat(255) });
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
      const bytes = Buffer.from(good);
      for (const { at, byte } of changes) bytes[at] = byte;
      try {
        decodeHeaderRecord(SecretBytes.take(bytes));
      } catch (error) {
        if (!hasCode(error, 'KNK-FMT-0106')) throw error;
      }
    }),
    { numRuns: 400 },
  );
});
