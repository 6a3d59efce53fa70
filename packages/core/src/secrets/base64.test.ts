import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeBase64 } from './base64.ts';
import { SecretBytes } from './secret-bytes.ts';

test('encodes as Buffer does, for any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      const encoded = encodeBase64(SecretBytes.copy(bytes));
      assert.equal(Buffer.from(encoded.bytes).toString('latin1'), Buffer.from(bytes).toString('base64'));
    }),
    { numRuns: 500 },
  );
});

test('the vectors of RFC 4648', () => {
  const vectors = {
    '': '',
    f: 'Zg==',
    fo: 'Zm8=',
    foo: 'Zm9v',
    foob: 'Zm9vYg==',
    fooba: 'Zm9vYmE=',
    foobar: 'Zm9vYmFy',
  };
  for (const [plain, expected] of Object.entries(vectors)) {
    const encoded = encodeBase64(SecretBytes.take(Buffer.from(plain)));
    assert.equal(Buffer.from(encoded.bytes).toString(), expected);
  }
});

test('127 bytes become 172 characters, the length of the key file', () => {
  assert.equal(encodeBase64(SecretBytes.random(127)).length, 172);
});

test('the input is left as it was', () => {
  const input = SecretBytes.take(Buffer.from('foobar'));
  encodeBase64(input);
  assert.equal(Buffer.from(input.bytes).toString(), 'foobar');
});
