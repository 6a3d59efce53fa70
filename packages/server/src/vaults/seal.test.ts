import assert from 'node:assert/strict';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { SecretBytes } from '@kannuki/core';
import { AzureClient } from '../testing/azure-client.ts';
import { TestAgent } from '../testing/test-agent.ts';
import { TestServer } from '../testing/test-server.ts';

const passphrase = (text = 'correct horse battery'): SecretBytes => SecretBytes.take(Buffer.from(text));
const vaultInput = {
  name: 'kv1',
  resourceGroup: 'rg',
  location: null,
  sku: 'standard',
  enabledForDiskEncryption: true,
} as const;
const key = { vaultName: 'kv1', name: 'kek' } as const;

test('a server with a passphrase starts sealed, and serves vaults only from unseal to seal', async () => {
  await using server = await TestServer.start({ vault: { rootKey: 'passphrase' } });
  const { admin } = server;
  assert.deepEqual(await admin.call('server-seal-status', {}), { sealed: true, rootKey: null, isNew: true });
  await assert.rejects(admin.call('keyvault-create', vaultInput), { code: 'KNK-KVT-0027' });
  await assert.rejects(admin.callWithSecret('server-unseal', {}, undefined), { code: 'KNK-KVT-0027' });
  await assert.rejects(admin.callWithSecret('server-unseal', {}, passphrase('short')), { code: 'KNK-KVT-0022' });
  const open = await admin.callWithSecret('server-unseal', {}, passphrase());
  assert.equal(open.sealed, false);
  await admin.call('keyvault-create', vaultInput);
  await admin.call('keyvault-key-create', { ...key, kind: 'RSA', bits: 2048 });

  assert.equal((await admin.call('server-seal', {})).sealed, true);
  await assert.rejects(admin.call('keyvault-key-show', key), { code: 'KNK-KVT-0027' });
  await server.stop();
  await server.start();
  assert.deepEqual(await admin.call('server-seal-status', {}), { sealed: true, rootKey: null, isNew: false });
  await assert.rejects(admin.callWithSecret('server-unseal', {}, passphrase('another long one')), {
    code: 'KNK-KVT-0041',
  });
  await admin.callWithSecret('server-unseal', {}, passphrase());
  await admin.call('keyvault-key-show', key);

  // To a plain file: from now on it starts by itself, and what was sealed under the old key is there.
  const rekeyed = await admin.callWithSecret('server-rekey', { to: 'file' }, undefined);
  assert.notEqual(rekeyed.rootKey, open.rootKey);
  await server.stop();
  await server.start();
  assert.equal((await admin.call('server-seal-status', {})).rootKey, rekeyed.rootKey);
  await admin.call('keyvault-key-show', key);
  await assert.rejects(admin.callWithSecret('server-rekey', { to: 'pkcs11' }, undefined), { code: 'KNK-KVT-0042' });
  assert.deepEqual(server.failures, []);
});

test('the routes with a passphrase take bytes only, and not too many', async () => {
  await using server = await TestServer.start();
  const send = (path: string, type: string, body: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const headers = { 'content-type': type, 'content-length': Buffer.byteLength(body) };
      const outgoing = request({ socketPath: server.admin.socketPath, method: 'POST', path, headers, agent: false });
      outgoing.on('error', reject);
      outgoing.on('response', (response) => resolve(text(response)));
      outgoing.end(body);
    });
  const bytes = 'application/octet-stream';
  assert.match(await send('/admin/v1/server-unseal', 'application/json', '{"passphrase":"x"}'), /KNK-SRV-0009/);
  assert.match(await send('/admin/v1/server-unseal', bytes, 'x'.repeat(2000)), /KNK-SRV-0024/);
  assert.match(await send('/admin/v1/server-rekey?to=nowhere', bytes, ''), /KNK-SRV-0009/);
  assert.match(await send('/admin/v1/server-rekey', bytes, ''), /KNK-SRV-0009/);
  assert.match(await send('/admin/v1/server-seal', bytes, '{}'), /KNK-SRV-0009/);
  assert.match(await send('/admin/v1/server-unseal', bytes, ''), /"sealed":false/);
});

test('calls of a sealed vault are refused without a line of log each, with whatever token', async () => {
  await using server = await TestServer.start();
  await server.admin.call('keyvault-create', vaultInput);
  const azure = await AzureClient.administrator(server);
  const { vaultDnsSuffix } = azure.admin;
  const good = await azure.token(`https://${vaultDnsSuffix}`);
  await server.admin.call('server-seal', {});
  for (const [token, status] of [
    [good, 503],
    ['x.y.z', 503],
    ['', 401],
  ] as const) {
    const headers = { host: `kv1.${vaultDnsSuffix}`, ...(token !== '' && { authorization: `Bearer ${token}` }) };
    const answer = await azure.send('GET', '/secrets/s?api-version=7.4', { headers });
    assert.equal(answer.status, status, token);
  }
  assert.deepEqual(server.failures, []);
});

test('an agent gets 503 while the vaults are sealed, and its secret after', async () => {
  await using server = await TestServer.start({
    images: [{ urn: 'Debian:debian-12:12:latest', volumes: 'os-and-data', reason: 'built by the test' }],
  });
  const { admin } = server;
  const agent = await TestAgent.join(server, (await server.makeVm('a')).token);
  const vm = { resourceGroup: 'rg', name: 'a' };
  await admin.call('keyvault-create', vaultInput);
  const options = { kek: null, kekVaultName: null, volumeType: 'DATA', force: true, stopServices: false } as const;
  await admin.call('vm-encryption-enable', { ...vm, vaultName: 'kv1', ...options });
  const value = Buffer.from('x'.repeat(172)).toString('base64');
  const stored = await agent.vault('setSecret', { name: 'volume', contentType: null, tags: {}, value });
  assert.equal(stored.status, 200, stored.text);
  const secretId = String(stored.json?.id);
  await admin.call('server-seal', {});
  const answer = await agent.vault('getSecret', { secretId });
  assert.equal(answer.status, 503);
  assert.match(answer.text, /KNK-KVT-0027/);
  assert.equal(answer.text.includes(value.slice(0, 40)), false);
  await admin.callWithSecret('server-unseal', {}, undefined);
  const again = await agent.vault('getSecret', { secretId });
  assert.equal(again.json?.value, value, again.text);
});
