import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readBasic, readTokenForm } from './form.ts';

test('reads what URLSearchParams writes, whatever the bytes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (secret, scope) => {
      const body = Buffer.from(new URLSearchParams({ other: 'x', client_secret: secret, scope }).toString());
      const form = readTokenForm(body);
      assert.ok('fields' in form);
      assert.equal(Buffer.from(form.secret?.bytes ?? []).toString('utf8'), Buffer.from(secret).toString('utf8'));
      assert.equal(form.fields.get('scope'), Buffer.from(scope).toString('utf8'));
      assert.ok(
        body.every((byte) => byte === 0),
        'the body is wiped',
      );
      form[Symbol.dispose]();
    }),
  );
});

test('any bytes are read or refused, never thrown at', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const read = readTokenForm(Buffer.from(bytes));
      assert.ok('fields' in read || read.status === 400);
      readBasic(`Basic ${Buffer.from(bytes).toString('base64')}`);
      readBasic(Buffer.from(bytes).toString('latin1'));
    }),
  );
});

test('what is refused', () => {
  const many = Array.from({ length: 33 }, (_, index) => `f${index}=`).join('&');
  const table: readonly [string, number][] = [
    ['scope=a&scope=b', 9000411],
    ['client_secret=a&client_secret=a', 9000411],
    ['scope=%', 900144],
    ['scope=%4', 900144],
    ['%zz=a', 900144],
    [many, 900144],
  ];
  for (const [body, code] of table) {
    const read = readTokenForm(Buffer.from(body));
    assert.ok('code' in read, body);
    assert.equal(read.code, code, body);
  }
});

test('HTTP Basic, with both parts form-encoded (RFC 6749, 2.3.1)', () => {
  const basic = readBasic(`Basic ${Buffer.from('a%3Ab:c+d%25:e').toString('base64')}`);
  assert.equal(basic?.clientId, 'a:b');
  assert.equal(Buffer.from(basic?.secret.bytes ?? []).toString(), 'c d%:e');
  for (const header of ['Basic', 'Basic !', 'Bearer YTpi', `Basic ${Buffer.from('nothing').toString('base64')}`]) {
    assert.equal(readBasic(header), undefined, header);
  }
});
