import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encodeBase64, SecretBytes } from '@kannuki/core';
import fc from 'fast-check';
import { decodeBase64 } from './base64-decode.ts';

describe('base64 from bytes to bytes', () => {
  it('gives back what was encoded', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        using encoded = encodeBase64(SecretBytes.copy(bytes));
        using decoded = decodeBase64(encoded.bytes);
        assert.deepEqual(decoded?.bytes, bytes);
      }),
    );
  });

  it('takes only what it would have written itself', () => {
    const alphabet = fc.constantFrom(...'ABab01+/=-_ \n'.split(''));
    fc.assert(
      fc.property(fc.string({ unit: alphabet, maxLength: 12 }), (text) => {
        using decoded = decodeBase64(Buffer.from(text, 'latin1'));
        const isCanonical = Buffer.from(text, 'base64').toString('base64') === text;
        assert.equal(decoded !== undefined, isCanonical, JSON.stringify(text));
      }),
      { numRuns: 5000 },
    );
    for (const wrong of ['A', 'AA', 'AAA', '====', 'A===', 'AA=A', 'AB==', 'AAB=', 'AA==AAAA', 'AAAA\n', 'é234']) {
      assert.equal(decodeBase64(Buffer.from(wrong, 'latin1')), undefined, wrong);
    }
  });
});
