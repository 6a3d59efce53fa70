import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AzureClient } from '../testing/azure-client.ts';
import { TestServer } from '../testing/test-server.ts';

const day = 24 * 3600 * 1000;

test('what becomes of keys with time is in the audit log, once (REQ-341)', async () => {
  await using server = await TestServer.start();
  const { admin } = server;
  await admin.call('keyvault-create', {
    name: 'kv1',
    resourceGroup: 'rg',
    location: null,
    sku: 'standard',
    enabledForDiskEncryption: false,
  });
  const azure = await AzureClient.administrator(server);
  const send = async (method: string, path: string, body: object): Promise<string> => {
    const headers = { host: `kv1.${azure.admin.vaultDnsSuffix}`, 'content-type': 'application/json' };
    const options = { socket: true, headers, body: JSON.stringify(body) };
    const answer = await azure.send(method, `${path}?api-version=7.4`, options);
    assert.equal(answer.status, 200, answer.text);
    const { kid = '' } = (answer.json.key ?? {}) as { kid?: string };
    return new URL(kid === '' ? 'https://none/' : kid).pathname.slice(1);
  };
  const exp = Math.floor(Date.now() / 1000) + 40 * 24 * 3600;
  const ending = await send('POST', '/keys/ending/create', { kty: 'EC', attributes: { exp } });
  const turning = await send('POST', '/keys/turning/create', { kty: 'EC' });
  await send('PUT', '/keys/turning/rotationpolicy', {
    lifetimeActions: [{ trigger: { timeAfterCreate: 'P20D' }, action: { type: 'Rotate' } }],
  });

  const events = async (afterDays: number): Promise<readonly string[]> => {
    server.clockOffset = afterDays * day;
    // What is due is done when a server starts, and each minute.
    await server.stop();
    await server.start();
    const filter = { vault: 'kv1', operation: null, objectId: 'server:rotation', from: null, to: null, limit: 100 };
    const entries = await admin.call('audit-list', filter);
    for (const { status, error, address } of entries) assert.deepEqual([status, error, address], [200, null, 'local']);
    return entries.map(({ operation, object }) => `${operation} ${object}`);
  };
  assert.deepEqual(await events(5), []);
  const near = `KeyNearExpiry ${ending}`;
  assert.deepEqual(await events(11), [near]);
  assert.deepEqual(await events(12), [near], 'not twice');
  const [, second = ''] = await events(21);
  assert.match(second, /^KeyNewVersionCreated keys\/turning\/[0-9a-f]{32}$/);
  assert.notEqual(second.split(' ')[1], turning);
  // Both at one time, in any order.
  const last = (await events(42)).slice(2).sort();
  assert.equal(last.length, 2);
  assert.equal(last[0], `KeyExpired ${ending}`);
  assert.match(last[1] ?? '', /^KeyNewVersionCreated keys\/turning\//);
  const named = { vault: null, operation: 'KeyNearExpiry', objectId: null, from: null, to: null, limit: 100 };
  assert.equal((await admin.call('audit-list', named)).length, 1);
  assert.equal((await admin.call('audit-verify', {})).ok, true);
  assert.deepEqual(server.failures, []);
});
