import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from '@kannuki/core';
import { makeKeyAndRequest } from './certificate-request.ts';
import { objectIdentifier, sequence, utf8String } from './der.ts';

test('openssl accepts the request, its signature and its key', async () => {
  const made = await makeKeyAndRequest();
  using privateKey = made.privateKey;
  const answer = await run('openssl', ['req', '-verify', '-noout', '-subject', '-pubkey'], {
    input: made.certificateSigningRequest,
  });
  assert.match(answer.stderr + answer.stdout, /verify OK/);
  assert.match(answer.stdout, /subject=CN = kannuki agent/);
  const requested = createPublicKey(answer.stdout.slice(answer.stdout.indexOf('-----BEGIN')));
  assert.equal(requested.asymmetricKeyDetails?.namedCurve, 'prime256v1');
  assert.deepEqual(requested, createPublicKey(createPrivateKey(Buffer.from(privateKey.bytes))));
});

test('openssl refuses a request of which one bit was changed', async () => {
  const made = await makeKeyAndRequest();
  using _key = made.privateKey;
  const der = Buffer.from(made.certificateSigningRequest.replace(/-----.*-----|\n/g, ''), 'base64');
  const at = der.indexOf('kannuki agent');
  der.writeUInt8(der.readUInt8(at) ^ 1, at);
  const answer = await run('openssl', ['req', '-verify', '-noout', '-inform', 'DER'], { input: der, accept: [0, 1] });
  assert.doesNotMatch(answer.stderr + answer.stdout, /verify OK/);
});

test('each request has a key of its own', async () => {
  const [one, two] = await Promise.all([makeKeyAndRequest(), makeKeyAndRequest()]);
  using oneKey = one.privateKey;
  using twoKey = two.privateKey;
  assert.equal(oneKey.equals(twoKey), false);
});

test('openssl signs a certificate for the request, and Node reads it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kannuki-request-'));
  try {
    const made = await makeKeyAndRequest();
    using privateKey = made.privateKey;
    await writeFile(join(folder, 'key.pem'), privateKey.bytes, { mode: 0o600 });
    await writeFile(join(folder, 'request.pem'), made.certificateSigningRequest);
    const signed = await run('openssl', [
      'x509',
      '-req',
      '-in',
      join(folder, 'request.pem'),
      '-signkey',
      join(folder, 'key.pem'),
    ]);
    const certificate = new X509Certificate(signed.stdout);
    assert.equal(certificate.checkPrivateKey(createPrivateKey(Buffer.from(privateKey.bytes))), true);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('DER: long lengths and large arcs', () => {
  assert.equal(objectIdentifier('1.2.840.10045.4.3.2').toString('hex'), '06082a8648ce3d040302');
  const long = sequence(utf8String('x'.repeat(300)));
  assert.equal(long.subarray(0, 8).toString('hex'), '308201300c82012c');
});
