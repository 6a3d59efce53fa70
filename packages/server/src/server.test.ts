import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { hasCode } from '@kannuki/core';
import { AdminClient } from './local-admin/client.ts';
import { type StartServerOptions, startServer } from './server.ts';
import { RecordingHost } from './testing/recording-host.ts';
import { TestServer } from './testing/test-server.ts';

function options(dataDirectory: string, more: Partial<StartServerOptions> = {}): StartServerOptions {
  return { dataDirectory, listen: '127.0.0.1:0', openHost: async () => new RecordingHost(), ...more };
}

test('an empty folder becomes a server: private files, admin.json, a socket for its owner', async () => {
  await using server = await TestServer.start();
  const modeOf = async (name: string): Promise<number> => (await stat(join(server.folder, name))).mode & 0o777;
  assert.equal(await modeOf('.'), 0o700);
  for (const name of [
    'server.db',
    'admin.json',
    'admin.sock',
    'vault/vault.db',
    'vault/root.key',
    'authority/server.pem',
  ]) {
    assert.equal(await modeOf(name), 0o600, name);
  }
  const admin = JSON.parse(await readFile(join(server.folder, 'admin.json'), 'utf8')) as Record<string, unknown>;
  assert.deepEqual(Object.keys(admin), [
    'server',
    'caFile',
    'tenantId',
    'subscriptionId',
    'objectId',
    'clientId',
    'clientSecret',
    'vaultDnsSuffix',
  ]);
  assert.equal(admin.server, server.url);
  assert.match(await readFile(String(admin.caFile), 'utf8'), /BEGIN CERTIFICATE/);
  await server.stop();
  await assert.rejects(stat(join(server.folder, 'admin.sock')), /ENOENT/);
});

test('two servers never work on one folder', async () => {
  await using server = await TestServer.start();
  await assert.rejects(startServer(options(server.folder)), (error) => hasCode(error, 'KNK-SRV-0001'));
  assert.deepEqual(await server.admin.call('vm-list', { resourceGroup: null }), []);
});

test('what cannot be used is refused with the reason', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kannuki-refused-'));
  try {
    await chmod(folder, 0o755);
    await assert.rejects(startServer(options(folder)), (error) => hasCode(error, 'KNK-SRV-0002'));
    await chmod(folder, 0o700);
    const long = join(folder, 'x'.repeat(100));
    await assert.rejects(startServer(options(long)), (error) => hasCode(error, 'KNK-SRV-0002'));
    const config = { server: { keyVolumeSeconds: 'soon' } };
    await assert.rejects(startServer(options(folder, { config })), (error) => hasCode(error, 'KNK-SRV-0025'));
    await assert.rejects(startServer(options(folder, { listen: 'nowhere' })), (error) =>
      hasCode(error, 'KNK-SRV-0012'),
    );
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
    const { port } = holder.address() as { port: number };
    const listen = `127.0.0.1:${port}`;
    await assert.rejects(startServer(options(folder, { listen })), (error) => hasCode(error, 'KNK-SRV-0012'));
    holder.close();
    // And after all of that the folder works.
    await (await startServer(options(folder))).close();
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a server that is not there is told as such', async () => {
  const client = new AdminClient('/nonexistent');
  await assert.rejects(client.call('vm-list', { resourceGroup: null }), (error) => hasCode(error, 'KNK-SRV-0017'));
});

test('the socket of the administrator refuses what is not in its contract', async () => {
  await using server = await TestServer.start();
  const extra = { resourceGroup: null, surprise: 1 } as unknown as { resourceGroup: null };
  await assert.rejects(server.admin.call('vm-list', extra), (error) => hasCode(error, 'KNK-SRV-0009'));
  const unknown = 'vm-explode' as 'vm-list';
  await assert.rejects(server.admin.call(unknown, { resourceGroup: null }), (error) => hasCode(error, 'KNK-SRV-0027'));
});
