import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasCode, SecretBytes } from '@kannuki/core';
import { assertStrong, generateKitPassphrase } from './kit-passphrase.ts';

test('a generated passphrase is seven groups of four, never the same, and strong by our own rule', () => {
  const seen = new Set<string>();
  for (let count = 0; count < 200; count++) {
    using passphrase = generateKitPassphrase();
    const text = Buffer.from(passphrase.bytes).toString('latin1');
    assert.match(text, /^(?:[2-9a-km-np-z]{4}-){6}[2-9a-km-np-z]{4}$/);
    seen.add(text);
    assertStrong(passphrase);
  }
  assert.equal(seen.size, 200);
});

test('a passphrase of a person is refused when it is short, dull, or cannot be typed everywhere', () => {
  const bad = [
    '',
    'short-but-fine-12',
    'a'.repeat(40),
    'abcabcabcabcabcabcabcabc',
    'correct hörse battery staple',
    ' leads with a space 123',
    'x'.repeat(513),
    'two lines\nof a passphrase',
  ];
  for (const text of bad) {
    using passphrase = SecretBytes.take(Buffer.from(text));
    assert.throws(
      () => assertStrong(passphrase),
      (error) => hasCode(error, 'KNK-VOL-0205'),
      text,
    );
  }
  using good = SecretBytes.take(Buffer.from('correct horse battery staple'));
  assertStrong(good);
});
