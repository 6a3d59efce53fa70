import assert from 'node:assert/strict';
import { copyFile, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { hasCode } from '@kannuki/core';
import { AdminClient } from '../local-admin/client.ts';
import { startServer } from '../server.ts';
import { RecordingHost } from '../testing/recording-host.ts';
import { TestServer } from '../testing/test-server.ts';

const vault = {
  name: 'kv1',
  resourceGroup: 'rg',
  location: null,
  sku: 'standard',
  enabledForDiskEncryption: true,
} as const;

const auditQuery = {
  vault: 'kv1',
  operation: 'KeyCreate',
  objectId: null,
  from: null,
  to: null,
  limit: 10,
};

test('a backup made while the server works, with the root key, is a server again', async () => {
  await using server = await TestServer.start();
  const { admin } = server;
  await admin.call('keyvault-create', vault);
  const key = await admin.call('keyvault-key-create', { vaultName: 'kv1', name: 'kek', kind: 'RSA', bits: 2048 });
  const place = await mkdtemp(join(tmpdir(), 'kannuki-backup-'));
  try {
    const directory = join(place, 'copy');
    const report = await admin.call('server-backup', { directory });
    assert.ok(report.files >= 5 && report.bytes > 10_000);
    // A thief of the backup alone has no key to it, and others may not enter it.
    assert.equal((await stat(directory)).mode & 0o777, 0o700);
    const rootKey = await readFile(join(server.folder, 'vault', 'root.key'));
    for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (!path.endsWith('.pem')) assert.equal((await stat(path)).mode & 0o077, 0, path);
      if (entry.isFile()) assert.ok(!(await readFile(path)).includes(rootKey.subarray(24, 56)), path);
    }
    await assert.rejects(admin.call('server-backup', { directory }), (error) => hasCode(error, 'KNK-SRV-0029'));
    await server.stop();

    await copyFile(join(server.folder, 'vault', 'root.key'), join(directory, 'vault', 'root.key'));
    const openHost = async (): Promise<RecordingHost> => new RecordingHost();
    const restored = await startServer({ dataDirectory: directory, listen: '127.0.0.1:0', openHost });
    try {
      const again = new AdminClient(directory);
      assert.deepEqual(await again.call('keyvault-key-show', { vaultName: 'kv1', name: 'kek' }), key);
      assert.deepEqual((await again.call('audit-verify', {})).problems, []);
      const made = await again.call('audit-list', auditQuery);
      assert.equal(made.length, 1, 'what the administrator made is on record');
    } finally {
      await restored.close();
    }
  } finally {
    await rm(place, { recursive: true });
  }
});

test('a backup is refused where it would not be one', async () => {
  await using server = await TestServer.start();
  for (const directory of ['copy', join(server.folder, 'copy'), '/nowhere/at/all', server.folder]) {
    await assert.rejects(server.admin.call('server-backup', { directory }), (error) => hasCode(error, 'KNK-SRV-0029'));
  }
  await server.admin.call('server-seal', {});
  const directory = join(tmpdir(), 'kannuki-sealed-backup');
  await assert.rejects(server.admin.call('server-backup', { directory }), (error) => hasCode(error, 'KNK-KVT-0027'));
  await assert.rejects(stat(directory));
});
