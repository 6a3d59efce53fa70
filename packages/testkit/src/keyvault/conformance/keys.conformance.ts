import assert from 'node:assert/strict';
import { constants, createHash, createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { before, test } from 'node:test';
import { RestError } from '@azure/core-rest-pipeline';
import { CryptographyClient, type JsonWebKey, type KeyClient, KnownKeyOperations } from '@azure/keyvault-keys';
import { collect, credential, makeVault, quick } from './azure.ts';

// The samples of @azure/keyvault-keys, one after the other.
let client: KeyClient;
before(async () => {
  client = (await makeVault('conf-keys')).keys;
});

const fails = (statusCode: number, code: string) => (error: unknown) =>
  error instanceof RestError && error.statusCode === statusCode && error.code === code;

test('create: RSA of each size, EC of each curve; the public part and nothing else', async () => {
  for (const keySize of [2048, 3072, 4096]) {
    const { key, properties, keyType } = await client.createRsaKey(`rsa-${keySize}`, { keySize });
    assert.equal(keyType, 'RSA');
    assert.equal(key?.n?.length, keySize / 8);
    assert.deepEqual(Buffer.from(key?.e ?? []).toString('hex'), '010001');
    assert.equal(key?.d, undefined);
    assert.match(properties.version ?? '', /^[0-9a-f]{32}$/);
    assert.deepEqual(new Set(key?.keyOps), new Set(['encrypt', 'decrypt', 'sign', 'verify', 'wrapKey', 'unwrapKey']));
  }
  for (const [curve, length] of [
    ['P-256', 32],
    ['P-384', 48],
    ['P-521', 66],
    ['P-256K', 32],
  ] as const) {
    const { key } = await client.createEcKey(`ec-${curve}`, { curve });
    assert.equal(key?.crv, curve);
    assert.deepEqual([key?.x?.length, key?.y?.length], [length, length]);
    assert.equal(key?.d, undefined);
  }
  await assert.rejects(client.createRsaKey('odd', { keySize: 1024 }), fails(400, 'BadParameter'));
  await assert.rejects(client.createOctKey('oct'), fails(400, 'BadParameter'));
});

test('get, versions, update, list', async () => {
  const first = await client.createRsaKey('versions', { tags: { round: '1' } });
  const second = await client.createRsaKey('versions', { tags: { round: '2' }, enabled: false });
  assert.notEqual(first.properties.version, second.properties.version);
  assert.equal((await client.getKey('versions')).properties.version, second.properties.version);
  const old = await client.getKey('versions', { version: first.properties.version ?? '' });
  assert.deepEqual(old.properties.tags, { round: '1' });
  const expiresOn = new Date('2033-03-03T00:00:00Z');
  const changed = await client.updateKeyProperties('versions', second.properties.version ?? '', {
    enabled: true,
    expiresOn,
    keyOps: ['wrapKey', 'unwrapKey'],
  });
  assert.equal(changed.properties.enabled, true);
  assert.equal(changed.properties.expiresOn?.getTime(), expiresOn.getTime());
  assert.deepEqual(changed.keyOperations, ['wrapKey', 'unwrapKey']);
  assert.equal((await collect(client.listPropertiesOfKeyVersions('versions'))).length, 2);
  assert.ok((await collect(client.listPropertiesOfKeys())).some(({ name }) => name === 'versions'));
});

test('delete, deleted list and get, recover, purge', async () => {
  const made = await client.createRsaKey('deleted');
  const deleted = await (await client.beginDeleteKey('deleted', quick)).pollUntilDone();
  assert.match(deleted.properties.recoveryId ?? '', /\/deletedkeys\/deleted$/);
  await assert.rejects(client.getKey('deleted'), fails(404, 'KeyNotFound'));
  await assert.rejects(client.createRsaKey('deleted'), fails(409, 'Conflict'));
  assert.equal((await client.getDeletedKey('deleted')).name, 'deleted');
  assert.ok((await collect(client.listDeletedKeys())).some(({ name }) => name === 'deleted'));
  const recovered = await (await client.beginRecoverDeletedKey('deleted', quick)).pollUntilDone();
  assert.equal(recovered.properties.version, made.properties.version);
  await (await client.beginDeleteKey('deleted', quick)).pollUntilDone();
  await client.purgeDeletedKey('deleted');
  await assert.rejects(client.getDeletedKey('deleted'), fails(404, 'KeyNotFound'));
});

test('backup and restore: what the key has wrapped can be unwrapped again', async () => {
  const key = await client.createRsaKey('saved');
  const wrapped = await new CryptographyClient(key, credential).wrapKey('RSA-OAEP-256', Buffer.from('a passphrase'));
  const backup = (await client.backupKey('saved')) ?? assert.fail('no backup');
  await (await client.beginDeleteKey('saved', quick)).pollUntilDone();
  await assert.rejects(client.restoreKeyBackup(backup), fails(409, 'Conflict'));
  await client.purgeDeletedKey('saved');
  const restored = await client.restoreKeyBackup(backup);
  assert.equal(restored.id, key.id);
  const unwrapped = await new CryptographyClient(restored, credential).unwrapKey('RSA-OAEP-256', wrapped.result);
  assert.equal(Buffer.from(unwrapped.result).toString(), 'a passphrase');
});

test('rotation: by hand, and the policy', async () => {
  const first = await client.createRsaKey('rotated');
  const second = await client.rotateKey('rotated');
  assert.notEqual(first.properties.version, second.properties.version);
  assert.equal((await collect(client.listPropertiesOfKeyVersions('rotated'))).length, 2);

  const standard = await client.getKeyRotationPolicy('rotated');
  assert.deepEqual(
    standard.lifetimeActions?.map(({ action, timeBeforeExpiry }) => [action, timeBeforeExpiry]),
    [['Notify', 'P30D']],
  );
  const policy = await client.updateKeyRotationPolicy('rotated', {
    lifetimeActions: [
      { action: 'Rotate', timeAfterCreate: 'P60D' },
      { action: 'Notify', timeBeforeExpiry: 'P20D' },
    ],
    expiresIn: 'P90D',
  });
  assert.equal(policy.expiresIn, 'P90D');
  const read = await client.getKeyRotationPolicy('rotated');
  assert.equal(read.expiresIn, 'P90D');
  assert.deepEqual(new Set(read.lifetimeActions?.map(({ action }) => action)), new Set(['Rotate', 'Notify']));
  const third = await client.rotateKey('rotated');
  const expires = third.properties.expiresOn?.getTime() ?? 0;
  assert.ok(Math.abs(expires - Date.now() - 90 * 86_400_000) < 86_400_000);
  const tooShort = { expiresIn: 'P27D', lifetimeActions: [] };
  await assert.rejects(client.updateKeyRotationPolicy('rotated', tooShort), fails(400, 'BadParameter'));
});

test('random bytes', async () => {
  const bytes = await client.getRandomBytes(64);
  assert.equal(bytes.length, 64);
  assert.notDeepEqual(bytes, await client.getRandomBytes(64));
});

test('cryptography, remote: encrypt and decrypt, wrap and unwrap, with each algorithm', async () => {
  const key = await client.createRsaKey('crypto');
  const remote = new CryptographyClient(key.id ?? '', credential);
  for (const algorithm of ['RSA-OAEP', 'RSA-OAEP-256', 'RSA1_5'] as const) {
    const plaintext = Buffer.from(`of ${algorithm}`);
    const { result, keyID } = await remote.encrypt({ algorithm, plaintext });
    assert.equal(keyID, key.id);
    assert.equal(
      Buffer.from((await remote.decrypt({ algorithm, ciphertext: result })).result).toString(),
      `of ${algorithm}`,
    );
    const wrapped = await remote.wrapKey(algorithm, plaintext);
    assert.deepEqual(Buffer.from((await remote.unwrapKey(algorithm, wrapped.result)).result), plaintext);
  }
  const { result } = await remote.encrypt({ algorithm: 'RSA-OAEP', plaintext: Buffer.from('x') });
  result[0] = (result[0] ?? 0) ^ 1;
  await assert.rejects(remote.decrypt({ algorithm: 'RSA-OAEP', ciphertext: result }), fails(400, 'BadParameter'));
});

test('cryptography, remote: what one version wrapped another does not unwrap', async () => {
  const first = await client.createRsaKey('two-versions');
  const wrapped = await new CryptographyClient(first, credential).wrapKey('RSA-OAEP', Buffer.from('x'));
  const second = await client.rotateKey('two-versions');
  await assert.rejects(
    new CryptographyClient(second.id ?? '', credential).unwrapKey('RSA-OAEP', wrapped.result),
    fails(400, 'BadParameter'),
  );
});

test('cryptography, remote: sign and verify, checked by OpenSSL as well', async () => {
  const rsa = await client.createRsaKey('signer');
  const remote = new CryptographyClient(rsa.id ?? '', credential);
  const data = Buffer.from('what is signed');
  const publicKey = createPublicKey({
    key: { kty: 'RSA', n: base64url(rsa.key?.n), e: base64url(rsa.key?.e) },
    format: 'jwk',
  });
  for (const algorithm of ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const) {
    const hash = `sha${algorithm.slice(2)}`;
    const digest = createHash(hash).update(data).digest();
    const { result } = await remote.signData(algorithm, data);
    // `verify` asks the vault; `verifyData` does it in the SDK, which takes PS* for RS* (4.10.2).
    assert.equal((await remote.verify(algorithm, digest, result)).result, true, algorithm);
    const other = createHash(hash).update('other').digest();
    assert.equal((await remote.verify(algorithm, other, result)).result, false, algorithm);
    const padding = algorithm.startsWith('PS') ? constants.RSA_PKCS1_PSS_PADDING : constants.RSA_PKCS1_PADDING;
    assert.ok(verify(hash, data, { key: publicKey, padding, saltLength: digest.length }, result), algorithm);
  }
  for (const [curve, algorithm, hash] of [
    ['P-256', 'ES256', 'sha256'],
    ['P-384', 'ES384', 'sha384'],
    ['P-521', 'ES512', 'sha512'],
  ] as const) {
    const ec = await client.createEcKey(`signer-${curve}`, { curve });
    const signer = new CryptographyClient(ec.id ?? '', credential);
    const { result } = await signer.signData(algorithm, data);
    assert.equal((await signer.verifyData(algorithm, data, result)).result, true, algorithm);
    const { x, y } = ec.key ?? {};
    const jwk = { kty: 'EC', crv: curve, x: base64url(x), y: base64url(y) };
    const key = createPublicKey({ key: jwk, format: 'jwk' });
    assert.ok(verify(hash, data, { key, dsaEncoding: 'ieee-p1363' }, result), algorithm);
  }
});

test('cryptography, local: what is encrypted without the server is decrypted by it', async () => {
  const key = await client.createRsaKey('local');
  const local = new CryptographyClient(key.key ?? assert.fail('no public key'));
  const { result } = await local.encrypt({ algorithm: 'RSA-OAEP', plaintext: Buffer.from('from afar') });
  const remote = new CryptographyClient(key.id ?? '', credential);
  assert.equal(
    Buffer.from((await remote.decrypt({ algorithm: 'RSA-OAEP', ciphertext: result })).result).toString(),
    'from afar',
  );
});

test('import: a key from elsewhere works, and its private part never comes back', async () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwk = privateKey.export({ format: 'jwk' });
  const members = Object.entries(jwk).map(([name, value]) =>
    name === 'kty' ? [name, value] : [name, Buffer.from(String(value), 'base64url')],
  );
  const imported = await client.importKey('imported', Object.fromEntries(members) as JsonWebKey);
  assert.equal(imported.key?.d, undefined);
  const { result } = await new CryptographyClient(imported.id ?? '', credential).signData('RS256', Buffer.from('x'));
  assert.ok(verify('sha256', Buffer.from('x'), createPublicKey(privateKey), result));
});

test('key_ops and times: what a key may not do is refused', async () => {
  const wrapOnly = await client.createRsaKey('wrap-only', { keyOps: [KnownKeyOperations.WrapKey, 'unwrapKey'] });
  const remote = new CryptographyClient(wrapOnly.id ?? '', credential);
  await assert.rejects(remote.sign('RS256', new Uint8Array(32)));
  // Not after 2038: the SDK (4.10.2) cuts times to 32 bits.
  const future = await client.createRsaKey('future', { notBefore: new Date('2037-01-01T00:00:00Z') });
  await assert.rejects(new CryptographyClient(future.id ?? '', credential).wrapKey('RSA1_5', Buffer.from('x')));
  const disabled = await client.createRsaKey('disabled', { enabled: false });
  await assert.rejects(
    new CryptographyClient(disabled.id ?? '', credential).unwrapKey('RSA-OAEP', new Uint8Array(256)),
    fails(403, 'Forbidden'),
  );
});

function base64url(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString('base64url');
}
