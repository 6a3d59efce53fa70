import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { hasCode } from '@kannuki/core';
import { PrincipalStore } from '../../storage/principal-store.ts';
import { IdentityServer } from '../../testing/identity-server.ts';
import { selfSigned } from '../../testing/self-signed.ts';
import { hintOf, newClientSecret } from './client-secret.ts';
import { defaultScryptParameters, SecretHasher } from './secret-hash.ts';

test('the secret is shown once, 256 bits of it are random, and the database has only what scrypt made of it', async () => {
  await using server = await IdentityServer.start();
  const made = await server.identity.principals.create('秘密 one');
  const again = await server.identity.principals.reset(made.appId);
  assert.match(made.password, /^[0-9a-f]{8}~[A-Za-z0-9_-]{43}$/);
  assert.notEqual(again.password, made.password);
  for (const name of ['server.db', 'server.db-wal']) {
    const content = await readFile(join(server.folder, name));
    for (const { password } of [made, again]) {
      assert.equal(content.includes(password.slice(9)), false);
      assert.equal(content.includes(Buffer.from(password.slice(9), 'base64url')), false);
    }
  }
  const [stored] = server.identity.principals.list();
  assert.equal(stored?.displayName, '秘密 one');
});

test('scrypt with N = 2^15, r = 8, p = 1; a hash is checked with the parameters that it was made with', async () => {
  assert.deepEqual(defaultScryptParameters, { cost: 32_768, blockSize: 8, parallelization: 1 });
  const secret = Buffer.from(newClientSecret());
  const strong = new SecretHasher({});
  const weak = new SecretHasher({ parameters: { cost: 1024, blockSize: 8, parallelization: 1 } });
  const stored = await strong.hash(secret);
  assert.equal(stored.cost, 32_768);
  assert.equal(await weak.matches(secret, stored), true);
  assert.equal(await weak.matches(Buffer.from('x'), stored), false);
  assert.equal(await weak.matches(secret, undefined), false);
  assert.equal(weak.runs, 3);
});

test('few runs at one time, a bounded queue, and then busy', async () => {
  const parameters = { cost: 1024, blockSize: 8, parallelization: 1 };
  const hasher = new SecretHasher({ parameters, concurrent: 2, waiting: 3 });
  const results = await Promise.all(Array.from({ length: 10 }, () => hasher.matches(Buffer.from('x'), undefined)));
  assert.equal(results.filter((result) => result === 'busy').length, 5);
  assert.equal(hasher.runs, 5);
  assert.equal(await hasher.matches(Buffer.from('x'), undefined), false, 'and it goes on');
});

test('the first administrator is made once; a lost or stale admin.json gets a new secret for the same principal', async () => {
  await using server = await IdentityServer.start();
  const { principals, hasher } = server.identity;
  const first = await principals.ensureAdministrator(undefined);
  const runs = hasher.runs;
  assert.deepEqual(await principals.ensureAdministrator(first), first);
  assert.equal(hasher.runs, runs, 'the next start costs no scrypt');

  const renewed = await principals.ensureAdministrator(undefined);
  assert.deepEqual({ ...renewed, clientSecret: '' }, { ...first, clientSecret: '' });
  assert.notEqual(renewed.clientSecret, first.clientSecret);
  const store = new PrincipalStore(server.database);
  assert.equal(store.secretByHint(first.objectId, hintOf(first.clientSecret) ?? ''), undefined, 'the lost one is out');
  assert.notEqual((await principals.ensureAdministrator(first)).clientSecret, first.clientSecret, 'a stale file');
  const foreign = await principals.create('other');
  const wrong = { clientId: foreign.appId, clientSecret: foreign.password };
  assert.equal((await principals.ensureAdministrator(wrong)).clientId, first.clientId);

  // A secret that the administrator was given otherwise outlives the file's.
  const reset = await principals.reset(first.clientId);
  await principals.ensureAdministrator(undefined);
  assert.ok(store.secretByHint(first.objectId, hintOf(reset.password) ?? ''));
  assert.equal(principals.list().filter(({ displayName }) => displayName === 'Kannuki administrator').length, 1);
});

test('what is refused', async () => {
  await using server = await IdentityServer.start();
  const { principals, managedIdentities } = server.identity;
  const administrator = await principals.ensureAdministrator(undefined);
  const { appId } = await principals.create('one');
  await server.joinedVm('vm-1');
  const machine = await managedIdentities.ofVm('vm-1');
  assert.ok(machine !== undefined);
  const good = await selfSigned('EC');
  const table: readonly [string, () => unknown, Parameters<typeof hasCode>[1]][] = [
    ['no name', () => principals.create(''), 'KNK-SRV-0026'],
    ['a name of two lines', () => principals.create('a\nb'), 'KNK-SRV-0026'],
    ['unknown', () => principals.reset('nobody'), 'KNK-IDT-0001'],
    ['the administrator goes', () => principals.delete(administrator.clientId), 'KNK-IDT-0002'],
    ['a VM goes', () => principals.delete(machine.appId), 'KNK-IDT-0002'],
    ['a VM gets a secret', () => principals.reset(machine.objectId), 'KNK-IDT-0002'],
    ['no certificate', () => principals.addCertificate(appId, 'x'), 'KNK-IDT-0003'],
    ['two certificates', () => principals.addCertificate(appId, good.certificate.repeat(2)), 'KNK-IDT-0003'],
    ['with its key', () => principals.addCertificate(appId, good.key + good.certificate), 'KNK-IDT-0003'],
  ];
  for (const [what, call, code] of table) {
    await assert.rejects(
      async () => call(),
      (error) => hasCode(error, code),
      what,
    );
  }
  for (const kind of ['small', 'P384'] as const) {
    const { certificate } = await selfSigned(kind);
    assert.throws(
      () => principals.addCertificate(appId, certificate),
      (error) => hasCode(error, 'KNK-IDT-0003'),
    );
  }
  const over = await selfSigned('EC', new Date(Date.now() - 1000));
  assert.throws(
    () => principals.addCertificate(appId, over.certificate),
    (error) => hasCode(error, 'KNK-IDT-0003'),
  );
  assert.equal(principals.addCertificate(appId, good.certificate).length, 64);
});
