import assert from 'node:assert/strict';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasCode, KannukiError, type VolumeStatus } from '@kannuki/core';
import { AgentClient, joinServer } from '@kannuki/guest';
import { TestServer } from '@kannuki/server/testing/test-server';
import { MemoryEngine } from './memory-engine.ts';
import { eventually, RunningAgent } from './running-agent.ts';

const vm = { resourceGroup: 'rg', name: 'vm1' };
const config = {
  images: [{ urn: 'Debian:debian-12:12:latest', volumes: 'os-and-data', reason: 'built by the test' }],
};

async function serverWithVm(): Promise<TestServer> {
  const server = await TestServer.start(config);
  await server.makeVm('vm1');
  await server.admin.call('keyvault-create', {
    name: 'kv1',
    resourceGroup: 'rg',
    location: null,
    sku: 'standard',
    enabledForDiskEncryption: true,
  });
  await server.admin.call('keyvault-key-create', { vaultName: 'kv1', name: 'kek1', kind: 'RSA', bits: 2048 });
  return server;
}

function enable(server: TestServer): Promise<unknown> {
  return server.admin.call('vm-encryption-enable', {
    ...vm,
    vaultName: 'kv1',
    kek: 'kek1',
    kekVaultName: null,
    volumeType: 'DATA',
    force: false,
    stopServices: true,
  });
}

async function volumes(server: TestServer): Promise<readonly VolumeStatus[]> {
  return (await server.admin.call('vm-encryption-progress', vm)).volumes;
}

async function dataState(server: TestServer): Promise<string> {
  const view = await server.admin.call('vm-encryption-show', vm);
  return String((JSON.parse(view?.substatus[0]?.message ?? '{}') as { data?: string }).data);
}

function done(server: TestServer): Promise<true> {
  return eventually(async () => (await server.admin.call('vm-encryption-progress', vm)).done || undefined, 'the end');
}

test('from the request to the last block: NotEncrypted, EncryptionInProgress, Encrypted', async () => {
  await using server = await serverWithVm();
  const engine = new MemoryEngine(['/data0', '/data1']);
  await using agent = await RunningAgent.make(engine);
  await agent.boot(server);
  await eventually(async () => ((await volumes(server)).length === 2 ? true : undefined), 'the first status');
  await enable(server);
  const seen = new Set<string>();
  const percents: number[] = [];
  await eventually(async () => {
    seen.add(await dataState(server));
    const current = (await volumes(server)).find(({ state }) => state === 'EncryptionInProgress');
    if (current !== undefined) percents.push(current.percent);
    return (await server.admin.call('vm-encryption-progress', vm)).done || undefined;
  }, 'the end of the encryption');
  seen.add(await dataState(server));
  assert.deepEqual([...seen], ['NotEncrypted', 'EncryptionInProgress', 'Encrypted']);
  assert.ok(percents.length > 2 && percents.some((percent) => percent > 0 && percent < 100), percents.join());

  const view = await server.admin.call('vm-encryption-show', vm);
  assert.equal(view?.status[0]?.message, 'Encryption succeeded for data volumes');
  const shown = (await server.admin.call('vm-show', vm)) as { kannuki: { downtimeSeconds: number } };
  assert.equal(shown.kannuki.downtimeSeconds, 0.4);
  assert.deepEqual(
    engine.encryptions.map(({ target, request }) => [target, request.stopServices, request.vault.vaultUri]),
    [
      ['/data0', true, 'https://kv1.vault.localhost/'],
      ['/data1', true, 'https://kv1.vault.localhost/'],
    ],
  );
  assert.match(String(engine.encryptions[0]?.request.keyVolumeUuid), /^[0-9A-F]{4}-[0-9A-F]{4}$/);
});

test('the files of the agent are private, and the token is gone', async () => {
  await using server = await serverWithVm();
  await using agent = await RunningAgent.make(new MemoryEngine([]));
  await agent.boot(server);
  assert.equal((await stat(agent.store.folder)).mode & 0o777, 0o700);
  for (const name of await readdir(agent.store.folder)) {
    assert.equal((await stat(join(agent.store.folder, name))).mode & 0o777, 0o600, name);
  }
  const identity = await readFile(join(agent.store.folder, 'identity.pem'), 'utf8');
  assert.match(identity, /^-----BEGIN PRIVATE KEY-----/);
  assert.deepEqual((await readdir(agent.provision)).sort(), ['authority.pem', 'server-url']);
});

test('a power cut in the middle: the next boot goes on by itself, and does not escrow again', async () => {
  await using server = await serverWithVm();
  const engine = new MemoryEngine(['/data0']);
  engine.conversionMilliseconds = 3000;
  await using agent = await RunningAgent.make(engine);
  await agent.boot(server);
  await enable(server);
  await eventually(async () => (await volumes(server)).find(({ percent }) => percent > 10), 'some progress');
  await agent.stop();
  engine.lockAll();
  await server.admin.call('vm-restart', vm);
  assert.ok(server.host.starts.at(-1)?.options.keyVolume !== undefined);
  engine.open('/data0');
  await agent.boot(server);
  await done(server);
  assert.equal(engine.encryptions.length, 1);
  const shown = (await server.admin.call('vm-show', vm)) as { kannuki: { keyVolumeAttached: boolean } };
  assert.equal(shown.kannuki.keyVolumeAttached, false, 'it was taken away when all was open');
});

test('a boot without key volume: after a grace the agent opens the volumes with the vault', async () => {
  await using server = await serverWithVm();
  const engine = new MemoryEngine(['/data0']);
  await using agent = await RunningAgent.make(engine);
  await agent.boot(server);
  await enable(server);
  await done(server);
  await agent.stop();
  engine.lockAll();
  await agent.start();
  await eventually(async () => (await volumes(server)).find(({ state }) => state === 'Locked'), 'the truth: locked');
  await done(server);
});

test('the server goes away while work runs: the work goes on, and is told when the server is back', async () => {
  await using server = await serverWithVm();
  const engine = new MemoryEngine(['/data0']);
  engine.conversionMilliseconds = 2500;
  await using agent = await RunningAgent.make(engine);
  await agent.boot(server);
  await enable(server);
  await eventually(async () => (await volumes(server)).find(({ percent }) => percent > 0), 'some progress');
  await server.stop();
  await eventually(
    async () => (await engine.list()).find(({ state }) => state === 'Encrypted'),
    'the end without a server',
  );
  await eventually(() => agent.events.find(({ kind }) => kind === 'server-lost'), 'a word about it');
  await server.start();
  await done(server);
  await eventually(() => agent.events.find(({ kind }) => kind === 'server-back'), 'the way back');
  // And a new goal still arrives.
  await enable(server);
  const generation = await eventually(() => {
    const goals = agent.events.flatMap((event) => (event.kind === 'goal' ? [event.generation] : []));
    return Math.max(...goals) >= 3 ? Math.max(...goals) : undefined;
  }, 'the next goal');
  assert.ok(generation >= 3);
});

test('a refusal is told with its findings and not tried again until it is asked for again', async () => {
  await using server = await serverWithVm();
  const engine = new MemoryEngine(['/data0']);
  const text = { en: 'a file is open', ja: 'ファイルが開かれています' };
  const finding = { rule: 'REQ-050', severity: 'refuse', subject: '/data0', message: text, remedy: text } as const;
  engine.refuseNext = new KannukiError('KNK-VOL-0006', { details: { target: '/data0' }, findings: [finding] });
  await using agent = await RunningAgent.make(engine);
  await agent.boot(server);
  await enable(server);
  const problems = await eventually(async () => {
    const progress = await server.admin.call('vm-encryption-progress', vm);
    return progress.problems.length > 0 ? progress.problems : undefined;
  }, 'the problem');
  assert.equal(problems[0]?.code, 'KNK-VOL-0006');
  assert.equal(problems[0]?.findings[0]?.rule, 'REQ-050');
  await sleep(1500);
  assert.equal(engine.encryptions.length, 1);
  await enable(server);
  await done(server);
  assert.deepEqual((await server.admin.call('vm-encryption-progress', vm)).problems, []);
});

test('what may pass is tried again by itself', async () => {
  await using server = await serverWithVm();
  const engine = new MemoryEngine(['/data0']);
  engine.refuseNext = new KannukiError('KNK-KVT-0001', { details: { vault: 'kv1', reason: 'ECONNREFUSED' } });
  await using agent = await RunningAgent.make(engine);
  await agent.boot(server);
  await enable(server);
  await done(server);
  assert.equal(engine.encryptions.length, 2);
});

test('an agent that was deleted at the server is told so, and one that was forgotten joins again at its next start', async () => {
  await using server = await serverWithVm();
  await using agent = await RunningAgent.make(new MemoryEngine([]));
  await agent.boot(server);
  await eventually(
    async () =>
      ((await server.admin.call('vm-show', vm)) as { kannuki: { statusAt: string | null } }).kannuki.statusAt ??
      undefined,
    'a status',
  );
  await agent.stop();
  await server.admin.call('vm-delete', vm);
  const client = await AgentClient.open(agent.store);
  await assert.rejects(client.waitForGoal(0, 0), (error) => hasCode(error, 'KNK-SRV-0007'));
  client.close();
  await server.makeVm('vm1');
  await agent.boot(server);
  await eventually(
    async () =>
      ((await server.admin.call('vm-show', vm)) as { kannuki: { statusAt: string | null } }).kannuki.statusAt ??
      undefined,
    'a status of the new VM',
  );
});

test('joining by hand needs address and token only, and refuses an authority that the token does not name', async () => {
  await using server = await serverWithVm();
  await using other = await serverWithVm();
  await using agent = await RunningAgent.make(new MemoryEngine([]));
  const token = server.lastToken();
  const wrong = joinServer(agent.store, { serverUrl: other.url, token });
  await assert.rejects(wrong, (error) => hasCode(error, 'KNK-AGT-0004'));
  const joined = await joinServer(agent.store, { serverUrl: server.url, token });
  assert.equal(joined.vmId, ((await server.admin.call('vm-show', vm)) as { vmId: string }).vmId);
  await assert.rejects(joinServer(agent.store, { serverUrl: server.url, token }), (error) =>
    hasCode(error, 'KNK-AGT-0002'),
  );
  await assert.rejects(joinServer(agent.store, { serverUrl: server.url, token, force: true }), (error) =>
    hasCode(error, 'KNK-SRV-0005'),
  );
  await assert.rejects(joinServer(agent.store, { serverUrl: 'http://x', token, force: true }), (error) =>
    hasCode(error, 'KNK-AGT-0009'),
  );
  await assert.rejects(joinServer(agent.store, { serverUrl: server.url, token: 'x', force: true }), (error) =>
    hasCode(error, 'KNK-AGT-0008'),
  );
});

test('a certificate is renewed when two thirds of its life are over, and goes on to work', async () => {
  await using server = await serverWithVm();
  await using agent = await RunningAgent.make(new MemoryEngine([]));
  await joinServer(agent.store, { serverUrl: server.url, token: server.lastToken() });
  const client = await AgentClient.open(agent.store);
  assert.equal(await client.renewIfDue(), false);
  const { serialNumber } = client.certificate;
  const inDays = (days: number): Date => new Date(Date.now() + days * 86_400_000);
  assert.equal(await client.renewIfDue(inDays(19)), false);
  assert.equal(await client.renewIfDue(inDays(21)), true);
  assert.notEqual(client.certificate.serialNumber, serialNumber);
  assert.equal(await client.waitForGoal(0, 0), undefined);
  client.close();
  const again = await AgentClient.open(agent.store);
  assert.equal(await again.waitForGoal(0, 0), undefined);
  again.close();
});

test('a server that does not answer is given up in bounded time', async () => {
  const { createServer } = await import('node:net');
  const silent = createServer(() => undefined);
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as { port: number };
  await using agent = await RunningAgent.make(new MemoryEngine([]));
  const start = performance.now();
  const token = `knt1.${'A'.repeat(43)}.${'B'.repeat(43)}`;
  await assert.rejects(joinServer(agent.store, { serverUrl: `https://127.0.0.1:${port}`, token }), (error) =>
    hasCode(error, 'KNK-AGT-0003'),
  );
  assert.ok(performance.now() - start < 15_000);
  silent.close();
});
