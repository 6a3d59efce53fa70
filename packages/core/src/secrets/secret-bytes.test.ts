import assert from 'node:assert/strict';
import { test } from 'node:test';
import { format, inspect } from 'node:util';
import { SecretBytes } from './secret-bytes.ts';

const plain = 'correct horse battery staple';

function secret(): SecretBytes {
  return SecretBytes.take(Buffer.from(plain));
}

test('a secret is not printed by any of the usual ways', () => {
  const value = secret();
  const nested = { a: [value], b: new Map([['k', value]]) };
  const printed = [
    String(value),
    value.toString(),
    JSON.stringify(value),
    JSON.stringify(nested),
    inspect(value),
    inspect(nested, { depth: 9, showHidden: true }),
    format('%s %o %O %j', value, value, value, value),
    new Error('failed', { cause: value }).stack ?? '',
    inspect(new Error('failed', { cause: value }), { showHidden: true }),
    Object.values(value).join(),
    JSON.stringify(Object.assign({}, value)),
  ];
  const bytes = [...Buffer.from(plain)];
  for (const text of printed) {
    assert.doesNotMatch(text, /correct horse/);
    assert.ok(!text.includes(bytes.slice(0, 6).join(',')), text);
    assert.ok(!text.includes(Buffer.from(plain).toString('hex').slice(0, 12)), text);
    assert.ok(!text.includes(Buffer.from(plain).toString('base64').slice(0, 12)), text);
  }
});

test('take owns the array and wipes it; copy leaves the caller’s alone', () => {
  const owned = Buffer.from(plain);
  const kept = Buffer.from(plain);
  {
    using _taken = SecretBytes.take(owned);
    using copied = SecretBytes.copy(kept);
    assert.deepEqual(Buffer.from(copied.bytes), kept);
  }
  assert.ok(owned.every((byte) => byte === 0));
  assert.equal(kept.toString(), plain);
});

test('a wiped secret cannot be used, and may be wiped again', () => {
  const value = secret();
  value[Symbol.dispose]();
  value[Symbol.dispose]();
  assert.throws(() => value.bytes, /after it was wiped/);
  assert.throws(() => value.length, /after it was wiped/);
});

test('an exception on the way still wipes', () => {
  const storage = Buffer.from(plain);
  assert.throws(() => {
    using _value = SecretBytes.take(storage);
    throw new Error('on the way');
  }, /on the way/);
  assert.ok(storage.every((byte) => byte === 0));
});

test('equals compares content; other lengths are not equal and do not throw', () => {
  assert.equal(secret().equals(secret()), true);
  assert.equal(secret().equals(SecretBytes.take(Buffer.from(plain.toUpperCase()))), false);
  assert.equal(secret().equals(SecretBytes.take(Buffer.from(`${plain}!`))), false);
  assert.equal(SecretBytes.take(new Uint8Array(0)).equals(SecretBytes.take(new Uint8Array(0))), true);
});

test('random gives the asked length and never the same bytes twice', () => {
  const first = SecretBytes.random(127);
  assert.equal(first.length, 127);
  assert.equal(first.equals(SecretBytes.random(127)), false);
});
