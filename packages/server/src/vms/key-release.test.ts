import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { KannukiError } from '@kannuki/core';
import { type EscrowReceipt, escrowPassphrase, generatePassphrase, RemoteVault } from '@kannuki/keyvault';
import { dataVolume, TestAgent } from '../testing/test-agent.ts';
import { TestServer } from '../testing/test-server.ts';

const vm = { resourceGroup: 'rg', name: 'vm1' };
const config = {
  images: [{ urn: 'Debian:debian-12:12:latest', volumes: 'os-and-data', reason: 'built by the test' }],
  server: { keyVolumeSeconds: 600 },
};

async function encryptedVm(server: TestServer): Promise<TestAgent> {
  const { token } = await server.makeVm('vm1');
  await server.admin.call('keyvault-create', {
    name: 'kv1',
    resourceGroup: 'rg',
    location: null,
    sku: 'standard',
    enabledForDiskEncryption: true,
  });
  await server.admin.call('keyvault-key-create', { vaultName: 'kv1', name: 'kek1', kind: 'RSA', bits: 2048 });
  const agent = await TestAgent.join(server, token);
  await server.admin.call('vm-encryption-enable', {
    ...vm,
    vaultName: 'kv1',
    kek: 'kek1',
    kekVaultName: null,
    volumeType: 'DATA',
    force: false,
    stopServices: false,
  });
  return agent;
}

/** What the guest does: escrow through the server. @returns the 172 characters */
async function escrow(
  agent: TestAgent,
  secretName: string,
  keyFileName = 'LinuxPassPhraseFileName',
): Promise<{ text: string; receipt: EscrowReceipt }> {
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
  const text = Buffer.from(passphrase.bytes).toString('latin1');
  const kekId = 'https://kv1.vault.localhost/keys/kek1';
  return { text, receipt: await escrowPassphrase(vault, { passphrase, secretName, kekId, keyFileName }) };
}

/** Files of a key volume, read by mtools(1). */
async function filesOn(image: Uint8Array): Promise<Record<string, string>> {
  const folder = await mkdtemp(join(tmpdir(), 'kannuki-key-'));
  try {
    const path = join(folder, 'volume');
    await writeFile(path, image);
    const names = execFileSync('mdir', ['-b', '-i', path, '::']).toString().trim().split('\n');
    return Object.fromEntries(
      names.map((name) => [name.slice(3), execFileSync('mtype', ['-i', path, name]).toString('latin1')]),
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function eventually(look: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await look())) {
    assert.ok(performance.now() < deadline, 'it did not come');
    await sleep(50);
  }
}

async function keyVolumeAttached(server: TestServer): Promise<boolean> {
  const shown = (await server.admin.call('vm-show', vm)) as { kannuki: { keyVolumeAttached: boolean } };
  return shown.kannuki.keyVolumeAttached;
}

test('a VM that has escrowed gets its passphrases on a key volume at its next start, and no file of the server holds them', async () => {
  await using server = await TestServer.start(config);
  const agent = await encryptedVm(server);
  assert.equal(server.host.starts.at(-1)?.options.keyVolume, undefined);
  const first = await escrow(agent, 'first');
  const second = await escrow(agent, 'second', 'LinuxPassPhraseFileName_1_1');
  await server.admin.call('vm-restart', vm);
  assert.deepEqual(
    server.host.calls.slice(-2).map((call) => call.split(' ')[0]),
    ['stop', 'start'],
  );
  const image = server.host.starts.at(-1)?.options.keyVolume;
  assert.ok(image !== undefined);
  assert.deepEqual(await filesOn(image.bytes), {
    LinuxPassPhraseFileName: first.text,
    LinuxPassPhraseFileName_1_1: second.text,
  });
  for (const entry of await readdir(server.folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const content = await readFile(join(entry.parentPath, entry.name));
    for (const { text } of [first, second]) assert.equal(content.indexOf(text.slice(0, 40)), -1, entry.name);
  }
});

test('of several attempts under one file name the newest counts', async () => {
  await using server = await TestServer.start(config);
  const agent = await encryptedVm(server);
  await escrow(agent, 'given-up');
  const { text } = await escrow(agent, 'in-use');
  await server.admin.call('vm-restart', vm);
  const image = server.host.starts.at(-1)?.options.keyVolume;
  assert.deepEqual(await filesOn(image?.bytes ?? new Uint8Array()), { LinuxPassPhraseFileName: text });
});

test('the key volume goes when the agent of the new boot says that all is open, not before', async () => {
  await using server = await TestServer.start(config);
  const agent = await encryptedVm(server);
  await escrow(agent, 'first');
  await agent.putStatus({ bootId: 'boot-1', unlocked: true });
  await server.admin.call('vm-restart', vm);
  assert.equal(await keyVolumeAttached(server), true);
  await agent.putStatus({ bootId: 'boot-1', unlocked: true });
  assert.equal(await keyVolumeAttached(server), true, 'a late word of the boot before');
  await agent.putStatus({ bootId: 'boot-2', unlocked: false, volumes: [dataVolume('Locked')] });
  assert.equal(await keyVolumeAttached(server), true, 'not open yet');
  await agent.putStatus({ bootId: 'boot-2', unlocked: true });
  assert.equal(await keyVolumeAttached(server), false);
});

test('a key volume that is attached when the server ends is not forgotten', async () => {
  await using server = await TestServer.start(config);
  const agent = await encryptedVm(server);
  await escrow(agent, 'first');
  await agent.putStatus({ bootId: 'boot-1' });
  await server.admin.call('vm-restart', vm);
  await server.stop();
  await server.start();
  assert.equal(await keyVolumeAttached(server), true);
  await agent.putStatus({ bootId: 'boot-2', unlocked: true });
  assert.equal(await keyVolumeAttached(server), false);

  await server.admin.call('vm-restart', vm);
  await server.stop();
  server.clockOffset = 601_000;
  await server.start();
  assert.equal(await keyVolumeAttached(server), false, 'its time was over while no server ran');
});

test('a VM that reboots by itself gets its key volume again, for as long as that boot needs it', async () => {
  await using server = await TestServer.start(config);
  const agent = await encryptedVm(server);
  const { text } = await escrow(agent, 'first');
  await agent.putStatus({ bootId: 'boot-1' });
  await server.admin.call('vm-restart', vm);
  const name = server.host.starts.at(-1)?.name ?? '';
  await agent.putStatus({ bootId: 'boot-2', unlocked: true });
  assert.equal(await keyVolumeAttached(server), false);

  server.host.happens({ name, kind: 'reset', byGuest: true });
  await eventually(() => keyVolumeAttached(server));
  assert.deepEqual(await filesOn(server.host.keyVolumeOf(name)), { LinuxPassPhraseFileName: text });
  await agent.putStatus({ bootId: 'boot-2', unlocked: true });
  assert.equal(await keyVolumeAttached(server), true, 'a late word of the boot before');
  await agent.putStatus({ bootId: 'boot-3', unlocked: true });
  assert.equal(await keyVolumeAttached(server), false);
  assert.deepEqual(server.failures, []);
});

test('a VM that goes off by itself is off, and an event of a VM that is none of ours is nothing', async () => {
  await using server = await TestServer.start(config);
  const agent = await encryptedVm(server);
  await escrow(agent, 'first');
  await server.admin.call('vm-restart', vm);
  const name = server.host.starts.at(-1)?.name ?? '';
  server.host.happens({ name, kind: 'stopped' });
  await eventually(
    async () => ((await server.admin.call('vm-show', vm)) as { powerState: string }).powerState === 'VM deallocated',
  );
  // Nothing is left to take away, and nothing that will be tried.
  server.clockOffset = 601_000;
  await sleep(2500);
  assert.deepEqual(
    server.host.calls.filter((call) => call.startsWith('detach')),
    [],
  );
  assert.deepEqual(server.failures, []);
  await server.stop();
  assert.equal(server.host.watchers, 0);
});

test('a key volume is taken away after its time although no agent says a word', async () => {
  await using server = await TestServer.start(config);
  const agent = await encryptedVm(server);
  await escrow(agent, 'first');
  await server.admin.call('vm-restart', vm);
  server.clockOffset = 601_000;
  // The first try fails: it is told, and tried again.
  server.host.failNext = { call: 'detachKeyVolume', error: new Error('the host is busy') };
  const deadline = performance.now() + 15_000;
  while ((await keyVolumeAttached(server)) && performance.now() < deadline) await sleep(200);
  assert.equal(await keyVolumeAttached(server), false);
  assert.match(JSON.stringify(server.failures), /detach the key volume/);
});

test('a VM whose passphrase cannot be had stays off, and the message names the object', async () => {
  await using server = await TestServer.start(config);
  const agent = await encryptedVm(server);
  const { receipt } = await escrow(agent, 'first');
  await server.admin.call('vm-stop', vm);
  await server.stop();
  const { EmbeddedVaults } = await import('@kannuki/keyvault');
  {
    await using vaults = await EmbeddedVaults.open({
      databaseFile: join(server.folder, 'vault', 'vault.db'),
      rootKeyFile: join(server.folder, 'vault', 'root.key'),
    });
    await vaults.vault('kv1').setSecretEnabled(receipt.secretId, false);
  }
  await server.start();
  await assert.rejects(server.admin.call('vm-start', vm), (error) => {
    assert.ok(error instanceof KannukiError);
    assert.equal(error.code, 'KNK-KVT-0004');
    return error.message.includes('secrets/first');
  });
  const shown = (await server.admin.call('vm-show', vm)) as { powerState: string };
  assert.equal(shown.powerState, 'VM deallocated');
});

test('a host that fails to start leaves no key volume on record', async () => {
  await using server = await TestServer.start(config);
  const agent = await encryptedVm(server);
  await escrow(agent, 'first');
  await server.admin.call('vm-stop', vm);
  server.host.failNext = { call: 'start', error: new KannukiError('KNK-CMD-0002', { details: { program: 'qemu' } }) };
  await assert.rejects(server.admin.call('vm-start', vm), /qemu is not installed/);
  const started = (await server.admin.call('vm-start', vm)) as { powerState: string };
  assert.equal(started.powerState, 'VM running');
  const again = (await server.admin.call('vm-start', vm)) as { powerState: string };
  assert.equal(again.powerState, 'VM running', 'a VM that runs is left alone');
  assert.equal(server.host.calls.filter((call) => call.startsWith('start')).length, 3);
});
