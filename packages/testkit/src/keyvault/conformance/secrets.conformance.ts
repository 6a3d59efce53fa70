import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { before, test } from 'node:test';
import { RestError } from '@azure/core-rest-pipeline';
import type { KeyVaultSecret, SecretClient } from '@azure/keyvault-secrets';
import { collect, makeVault, quick } from './azure.ts';

// The samples of @azure/keyvault-secrets, one after the other.
let client: SecretClient;
before(async () => {
  client = (await makeVault('conf-secrets')).secrets;
});

const fails = (statusCode: number, code: string) => (error: unknown) =>
  error instanceof RestError && error.statusCode === statusCode && error.code === code;

test('set, get, update: every kind of text comes back as it was', async () => {
  const texts = ['plain', '', 'quotes " and \\ and / \n\t\u0001', 'üñí 閂 😀', `${'é'.repeat(12_000)}`].filter(
    (text) => text !== '',
  );
  for (const [index, text] of texts.entries()) {
    const set = await client.setSecret(`text-${index}`, text, { contentType: 'text/plain', tags: { of: 'a test' } });
    assert.equal(set.value, text);
    const { value, properties } = await client.getSecret(`text-${index}`);
    assert.equal(value, text);
    assert.equal(properties.version, set.properties.version);
    assert.match(properties.version ?? '', /^[0-9a-f]{32}$/);
    assert.equal(properties.contentType, 'text/plain');
    assert.deepEqual(properties.tags, { of: 'a test' });
    assert.equal(properties.enabled, true);
    assert.ok(Math.abs((properties.createdOn?.getTime() ?? 0) - Date.now()) < 60_000);
    assert.equal(properties.recoveryLevel, 'Recoverable+Purgeable');
  }
});

test('versions: the newest without version, each by its own, listed without values', async () => {
  const made: KeyVaultSecret[] = [];
  for (const value of ['one', 'two', 'three']) made.push(await client.setSecret('versions', value));
  assert.equal((await client.getSecret('versions')).value, 'three');
  for (const [index, value] of ['one', 'two', 'three'].entries()) {
    const version = made[index]?.properties.version ?? '';
    assert.equal((await client.getSecret('versions', { version })).value, value);
  }
  const listed = await collect(client.listPropertiesOfSecretVersions('versions'));
  assert.deepEqual(new Set(listed.map(({ version }) => version)), new Set(made.map((one) => one.properties.version)));
  assert.ok(listed.every((one) => !('value' in one)));
});

test('attributes: disabled is not read, times come back, a version is changed by itself', async () => {
  const [notBefore, expiresOn] = [new Date('2031-01-01T00:00:00Z'), new Date('2032-01-01T00:00:00Z')];
  const made = await client.setSecret('attributes', 'value', { notBefore, expiresOn });
  assert.deepEqual(
    [made.properties.notBefore, made.properties.expiresOn].map((date) => date?.getTime()),
    [notBefore.getTime(), expiresOn.getTime()],
  );
  // REQ-346: a secret is read outside its time.
  assert.equal((await client.getSecret('attributes')).value, 'value');
  const changed = await client.updateSecretProperties('attributes', made.properties.version ?? '', {
    enabled: false,
    tags: { changed: 'yes' },
  });
  assert.equal(changed.enabled, false);
  assert.deepEqual(changed.tags, { changed: 'yes' });
  await assert.rejects(client.getSecret('attributes'), fails(403, 'Forbidden'));
});

test('delete, deleted list and get, recover, purge', async () => {
  await client.setSecret('deleted', 'back again');
  const deleting = await client.beginDeleteSecret('deleted', quick);
  const deleted = await deleting.pollUntilDone();
  assert.equal(deleted.name, 'deleted');
  assert.match(deleted.recoveryId ?? '', /\/deletedsecrets\/deleted$/);
  assert.ok((deleted.scheduledPurgeDate?.getTime() ?? 0) > Date.now() + 89 * 86_400_000);
  await assert.rejects(client.getSecret('deleted'), fails(404, 'SecretNotFound'));
  await assert.rejects(client.setSecret('deleted', 'x'), fails(409, 'Conflict'));
  assert.equal((await client.getDeletedSecret('deleted')).name, 'deleted');
  assert.ok((await collect(client.listDeletedSecrets())).some(({ name }) => name === 'deleted'));
  const recovering = await client.beginRecoverDeletedSecret('deleted', quick);
  await recovering.pollUntilDone();
  assert.equal((await client.getSecret('deleted')).value, 'back again');

  await (await client.beginDeleteSecret('deleted', quick)).pollUntilDone();
  await client.purgeDeletedSecret('deleted');
  await assert.rejects(client.getDeletedSecret('deleted'), fails(404, 'SecretNotFound'));
  assert.equal((await client.setSecret('deleted', 'new')).value, 'new');
});

test('backup and restore: all versions, with their ids', async () => {
  const first = await client.setSecret('saved', 'first');
  const second = await client.setSecret('saved', 'second');
  const backup = await client.backupSecret('saved');
  assert.ok(backup !== undefined && backup.length > 0);
  assert.equal(Buffer.from(backup).includes('second'), false);
  await assert.rejects(client.restoreSecretBackup(backup), fails(409, 'Conflict'));
  await (await client.beginDeleteSecret('saved', quick)).pollUntilDone();
  await assert.rejects(client.restoreSecretBackup(backup), fails(409, 'Conflict'));
  await client.purgeDeletedSecret('saved');
  await client.restoreSecretBackup(backup);
  assert.equal((await client.getSecret('saved', { version: first.properties.version ?? '' })).value, 'first');
  assert.equal((await client.getSecret('saved')).properties.version, second.properties.version);
  await (await client.beginDeleteSecret('saved', quick)).pollUntilDone();
  await client.purgeDeletedSecret('saved');
  const damaged = Buffer.from(backup);
  damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1;
  await assert.rejects(client.restoreSecretBackup(damaged), fails(400, 'BadParameter'));
  await assert.rejects(client.restoreSecretBackup(randomBytes(200)), fails(400, 'BadParameter'));
});

test('paging: every secret once, in pages of the asked size', async () => {
  const { secrets } = await makeVault('conf-paging');
  const names = Array.from({ length: 60 }, (_, index) => `paged-${String(index).padStart(2, '0')}`);
  // One call by itself first: where several first calls of a client wait for one challenge, the SDK (4.12.0) sends some
  // of them with a token and without their body.
  await secrets.setSecret('paged-00', 'paged-00');
  await Promise.all(names.slice(1).map((name) => secrets.setSecret(name, name)));
  assert.deepEqual((await collect(secrets.listPropertiesOfSecrets())).map(({ name }) => name).sort(), names);
  const pages = await collect(secrets.listPropertiesOfSecrets().byPage({ maxPageSize: 25 }));
  assert.deepEqual(
    pages.map((page) => page.length),
    [25, 25, 10],
  );
  const continued = secrets.listPropertiesOfSecrets().byPage({ maxPageSize: 25 });
  const first = await continued.next();
  const { continuationToken } = first.value as { continuationToken?: string };
  if (continuationToken !== undefined) {
    const rest = await collect(secrets.listPropertiesOfSecrets().byPage({ continuationToken }));
    assert.equal(rest.flat().length, 35);
  }
});

test('names and sizes: what Azure refuses is refused with its codes', async () => {
  await assert.rejects(client.setSecret('bad_name', 'x'), fails(400, 'BadParameter'));
  await assert.rejects(client.setSecret('a'.repeat(128), 'x'), fails(400, 'BadParameter'));
  await assert.rejects(client.setSecret('large', 'x'.repeat(25 * 1024 + 1)), fails(400, 'BadParameter'));
  await assert.rejects(client.getSecret('not-there'), fails(404, 'SecretNotFound'));
  const tags = Object.fromEntries(Array.from({ length: 16 }, (_, index) => [`t${index}`, 'x']));
  await assert.rejects(client.setSecret('tags', 'x', { tags }), fails(400, 'BadParameter'));
});
