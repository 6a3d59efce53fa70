import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasCode } from '@kannuki/core';
import { type AuditEntry, escrowPassphrase, generatePassphrase, RemoteVault } from '@kannuki/keyvault';
import type { AuditListInput } from '../local-admin/contract.ts';
import { TestAgent } from '../testing/test-agent.ts';
import { TestServer } from '../testing/test-server.ts';
import { verifyAuditOffline } from './audit-files.ts';

const vm = { resourceGroup: 'rg', name: 'vm1' };
const config = {
  images: [{ urn: 'Debian:debian-12:12:latest', volumes: 'os-and-data', reason: 'built by the test' }],
};
const everything: AuditListInput = { vault: null, operation: null, objectId: null, from: null, to: null, limit: 1000 };

async function member(server: TestServer): Promise<{ agent: TestAgent; vmId: string }> {
  const { token } = await server.makeVm('vm1');
  const vault = { name: 'kv1', resourceGroup: 'rg', location: null, sku: 'standard' } as const;
  await server.admin.call('keyvault-create', { ...vault, enabledForDiskEncryption: true });
  await server.admin.call('keyvault-key-create', { vaultName: 'kv1', name: 'kek1', kind: 'RSA', bits: 2048 });
  const agent = await TestAgent.join(server, token);
  const volumes = { kekVaultName: null, volumeType: 'DATA', force: false, stopServices: false } as const;
  await server.admin.call('vm-encryption-enable', { ...vm, vaultName: 'kv1', kek: 'kek1', ...volumes });
  return { agent, vmId: agent.vmId };
}

/** @returns the 172 characters */
async function escrow(agent: TestAgent): Promise<string> {
  const vault = new RemoteVault({
    connection: {
      serverUrl: agent.server.url,
      authority: agent.authority,
      certificate: agent.identity?.certificate ?? '',
      privateKey: agent.identity?.key ?? '',
    },
    vaultName: 'kv1',
    vaultUri: 'https://kv1.vault.localhost/',
  });
  using passphrase = generatePassphrase();
  const kekId = 'https://kv1.vault.localhost/keys/kek1';
  await escrowPassphrase(vault, {
    passphrase,
    secretName: 'disk',
    kekId,
    keyFileName: 'LinuxPassPhraseFileName',
  });
  return Buffer.from(passphrase.bytes).toString('latin1');
}

function shape({ operation, object, objectId, status, error }: AuditEntry): unknown[] {
  return [operation, object?.replace(/[0-9a-f]{32}$/, 'V'), objectId, status, error];
}

test('each call of a VM and each release at boot is on record, without anything secret, and the log is whole', async () => {
  await using server = await TestServer.start(config);
  const { agent, vmId } = await member(server);
  const text = await escrow(agent);
  const caller = `vm:${vmId}`;
  const [made, ...before] = await server.admin.call('audit-list', everything);
  assert.deepEqual([made?.operation, made?.objectId], ['KeyCreate', 'local-administrator']);
  const operations = new Set(before.map(({ operation }) => operation));
  for (const one of ['KeyGet', 'KeyWrap', 'SecretSet', 'SecretGet', 'KeyUnwrap']) assert.ok(operations.has(one), one);
  for (const entry of before) {
    assert.equal(entry.objectId, caller);
    assert.equal(entry.address, '127.0.0.1');
    assert.equal(entry.vault, 'kv1');
    assert.match(entry.object ?? '', /^(?:keys\/kek1|secrets\/disk)\/[0-9a-f]{32}$/);
  }

  const after = { ...everything, from: Date.now() };
  await server.admin.call('vm-restart', vm);
  const bySystem = `server:key-volume:${vmId}`;
  const released = (await server.admin.call('audit-list', { ...after, objectId: bySystem })).map(shape);
  assert.deepEqual(released, [
    ['SecretGet', 'secrets/disk/V', bySystem, 200, null],
    ['KeyUnwrap', 'keys/kek1/V', bySystem, 200, null],
  ]);

  const value = Buffer.from('canary-5a1c').toString('base64');
  await agent.vault('getSecret', { secretId: 'https://kv1.vault.localhost/secrets/foreign' });
  await agent.vault('unwrapKey', { keyId: 'https://kv1.vault.localhost/keys/other', algorithm: 'RSA-OAEP', value });
  await agent.vault('getSecret', { secretId: 'https://kv9.vault.localhost/secrets/foreign' }, 'kv9');
  await agent.vault('getSecret', { secretId: 'https://kv1.vault.localhost/secrets/x' }, `${value}!`);
  await agent.vault('getSecret', { nothing: 'canary-5a1c' });
  await agent.vault('noSuchCall', { value });
  const refused = await server.admin.call('audit-list', { ...after, objectId: caller });
  assert.deepEqual(refused.map(shape), [
    ['SecretGet', 'secrets/foreign', caller, 403, 'Forbidden'],
    ['KeyUnwrap', 'keys/other', caller, 403, 'Forbidden'],
    ['SecretGet', undefined, caller, 403, 'Forbidden'],
    ['SecretGet', undefined, caller, 403, 'Forbidden'],
    ['SecretGet', undefined, caller, 400, 'BadParameter'],
    ['Unknown', undefined, caller, 400, 'BadParameter'],
  ]);
  assert.deepEqual(
    refused.map(({ vault }) => vault),
    ['kv1', 'kv1', 'kv9', '', 'kv1', 'kv1'],
  );

  const verified = await server.admin.call('audit-verify', {});
  assert.deepEqual(verified.problems, []);
  assert.equal(verified.keyed, true);
  await assert.rejects(verifyAuditOffline(server.folder), (error) => hasCode(error, 'KNK-KVT-0009'));
  const folder = join(server.folder, 'audit');
  for (const name of await readdir(folder)) {
    const content = await readFile(join(folder, name), 'utf8');
    for (const secret of [text.slice(0, 20), value, 'canary-5a1c']) assert.equal(content.includes(secret), false);
  }

  await server.stop();
  const offline = await verifyAuditOffline(server.folder);
  assert.deepEqual(offline.problems, []);
  assert.equal(offline.records, verified.records);
  await server.start();
  assert.equal((await server.admin.call('audit-verify', {})).records, verified.records);
});

test('a log that was cut while no server ran: the operator is told, and the server serves', async () => {
  await using server = await TestServer.start(config);
  const { agent } = await member(server);
  await escrow(agent);
  await server.stop();
  const file = join(server.folder, 'audit', 'audit-00000001.jsonl');
  await truncate(file, (await readFile(file)).lastIndexOf(10, -2) + 1);
  await server.start();
  assert.equal(server.failures.length, 1);
  const { error } = server.failures[0] as { error: unknown };
  assert.ok(hasCode(error, 'KNK-AUD-0004'));
  await server.admin.call('vm-restart', vm);
  const { ok, problems } = await server.admin.call('audit-verify', {});
  assert.equal(ok, false);
  assert.deepEqual(
    problems.map(({ file: name, line }) => [name, line]),
    [['audit-00000002.jsonl', 1]],
  );
});

test('nobody gets a key whose release cannot be recorded: not a VM that asks, not one that starts', async () => {
  await using server = await TestServer.start(config);
  const { agent } = await member(server);
  const text = await escrow(agent);
  await server.stop();
  const folder = join(server.folder, 'audit');
  const file = join(folder, 'audit-00000001.jsonl');
  const content = await readFile(file);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=128k,mode=700', 'tmpfs', folder]);
  try {
    await writeFile(file, content, { mode: 0o600 });
    await server.start();
    const ballast = join(folder, 'ballast');
    await assert.rejects(writeFile(ballast, Buffer.alloc(256 * 1024)), { code: 'ENOSPC' });
    // The last page of the log has room for a few records yet.
    const secret = { secretId: 'https://kv1.vault.localhost/secrets/disk' };
    let answer = await agent.vault('getSecret', secret);
    for (let count = 0; answer.status === 200 && count < 20; count += 1)
      answer = await agent.vault('getSecret', secret);
    assert.equal(answer.status, 503, answer.text);
    assert.equal(answer.errorCode, 'KNK-AUD-0001');
    assert.equal(answer.json?.value, undefined);
    const starts = server.host.starts.length;
    await assert.rejects(server.admin.call('vm-restart', vm), (error) => hasCode(error, 'KNK-AUD-0001'));
    assert.equal(server.host.starts.length, starts);

    await truncate(ballast, 0);
    const deadline = performance.now() + 10_000;
    while ((await agent.vault('getSecret', secret)).status !== 200) {
      assert.ok(performance.now() < deadline, 'it did not go on');
      await sleep(50);
    }
    await server.admin.call('vm-start', vm);
    assert.equal(server.host.starts.length, starts + 1);
    assert.notEqual(server.host.starts.at(-1)?.options.keyVolume, undefined);
    assert.deepEqual((await server.admin.call('audit-verify', {})).problems, []);
    assert.equal((await readFile(file, 'latin1')).includes(text.slice(0, 20)), false);
  } finally {
    await server.stop();
    execFileSync('umount', [folder]);
  }
});
