import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { AgentStatus, VolumeStatus } from '@kannuki/core';
import { AgentClient, AgentStore, joinServer } from '@kannuki/guest';
import { TestServer } from '@kannuki/server/testing/test-server';
import { type ProgramRun, runInProcess } from '../../testing/run-kannuki.ts';

const config = {
  images: [{ urn: 'Debian:debian-12:12:latest', volumes: 'os-and-data', reason: 'built by the test' }],
};

/** Runs command lines against one server, whose folder is named as an operator does it. */
function kannuki(server: TestServer): (line: string) => Promise<ProgramRun> {
  return (line) => runInProcess(line.split(' '), { KANNUKI_DATA: server.folder });
}

function json(run: ProgramRun): Record<string, unknown> {
  assert.equal(run.exitCode, 0, run.stderr);
  return JSON.parse(run.stdout) as Record<string, unknown>;
}

const volume: VolumeStatus = {
  name: 'sda',
  device: '/dev/sda',
  serial: 'data0',
  fileSystem: 'ext4',
  mountPoint: '/data0',
  sizeBytes: 1000,
  usedBytes: 10,
  kind: 'data',
  state: 'NotEncrypted',
  percent: 0,
  bytesDone: 0,
  bytesTotal: 1000,
  bytesPerSecond: null,
  etaSeconds: null,
  keySource: 'none',
  secretId: null,
  kekId: null,
};

const status: AgentStatus = {
  generation: 0,
  bootId: 'boot-1',
  volumes: [volume],
  problems: [],
  downtimeSeconds: null,
  unlocked: true,
};

/** A member that says what the test wants. */
async function withAgent(server: TestServer, work: (client: AgentClient) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'kannuki-cli-agent-'));
  try {
    const store = new AgentStore(folder);
    await joinServer(store, { serverUrl: server.url, token: server.lastToken() });
    const client = await AgentClient.open(store);
    await work(client);
    client.close();
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('vault, key, VM: made, listed and shown with the words and keys of az', async () => {
  await using server = await TestServer.start(config);
  const run = kannuki(server);
  const vault = json(await run('keyvault create -n kv1 -g rg1 --enabled-for-disk-encryption'));
  assert.equal((vault.properties as { enabledForDiskEncryption: boolean }).enabledForDiskEncryption, true);
  const key = json(await run('keyvault key create --vault-name kv1 -n kek1 --kty RSA --size 2048'));
  assert.match((key.key as { kid: string }).kid, /^https:\/\/kv1\.vault\.localhost\/keys\/kek1\/[0-9a-f]{32}$/);
  assert.deepEqual(json(await run('keyvault key show --vault-name kv1 -n kek1')), key);
  const made = json(
    await run('vm create -g rg1 -n vm1 --image debian-12 --size Standard_B1ms --data-disk-sizes-gb 4 8'),
  );
  assert.equal(made.powerState, 'VM running');
  assert.match(
    String(made.id),
    /^\/subscriptions\/[0-9a-f-]{36}\/resourceGroups\/rg1\/providers\/Microsoft.Compute\/virtualMachines\/vm1$/,
  );
  const shown = json(await run('vm show -g rg1 -n vm1'));
  assert.deepEqual(
    (shown.storageProfile as { dataDisks: { lun: number; diskSizeGb: number }[] }).dataDisks.map((disk) => [
      disk.lun,
      disk.diskSizeGb,
    ]),
    [
      [0, 4],
      [1, 8],
    ],
  );
  assert.equal((await run('vm stop -g rg1 -n vm1')).stdout, '');
  const table = await run('vm list -o table');
  assert.match(table.stdout, /vm1 +rg1 +local +Standard_B1ms +VM deallocated/);
  assert.equal((await run('vm start -g rg1 -n vm1')).exitCode, 0);
  assert.equal(json(await run('vm show -g rg1 -n vm1')).powerState, 'VM running');
});

test('failures have the exit codes of the table, one line for people, and JSON for programs', async () => {
  await using server = await TestServer.start(config);
  const run = kannuki(server);
  const missing = await run('vm show -g rg1 -n nothing -o json');
  assert.equal(missing.exitCode, 3);
  assert.match(missing.stderr, /^kannuki: error KNK-SRV-0003: [^\n]+; [^\n]+\n$/);
  assert.equal((JSON.parse(missing.stdout) as { error: { code: string } }).error.code, 'KNK-SRV-0003');
  const japanese = await run('vm show -g rg1 -n nothing --lang ja');
  assert.match(japanese.stderr, /リソース グループ rg1 に VM nothing はありません/);
  const usage = 'vm encryption enable -g rg1 -n vm1 --disk-encryption-keyvault kv1 --key-encryption-keyvault kv2';
  assert.equal((await run(usage)).exitCode, 2);
  assert.equal((await run('vm create -g rg1 -n vm1')).exitCode, 2);
  assert.equal((await run('vm delete -g rg1 -n vm1')).exitCode, 2, 'nobody can be asked');
  const away = await runInProcess(['vm', 'list'], { KANNUKI_DATA: '/nonexistent' });
  assert.equal(away.exitCode, 69);
});

test('enable: a refusal prints every finding and ends with 10', async () => {
  await using server = await TestServer.start({});
  const run = kannuki(server);
  await run('keyvault create -n kv1 -g rg1');
  await run('vm create -g rg1 -n vm1 --image debian-12 --size Standard_B1ms --data-disk-sizes-gb 4');
  const enable = 'vm encryption enable -g rg1 -n vm1 --disk-encryption-keyvault kv1 --volume-type data -o json';
  const refused = await run(enable);
  assert.equal(refused.exitCode, 10);
  const { findings } = JSON.parse(refused.stdout) as { error: { code: string }; findings?: { rule: string }[] } as {
    findings?: { rule: string }[];
  };
  const listed = JSON.stringify(findings ?? JSON.parse(refused.stdout));
  assert.match(listed, /REQ-115/);
  const nothing = await run('vm encryption show -g rg1 -n vm1');
  assert.equal(nothing.exitCode, 0);
  assert.equal(nothing.stdout, '');
  assert.match(nothing.stderr, /Azure Disk Encryption is not enabled/);
});

test('enable --wait: ends when the agent says that all is encrypted, with progress on the way', async () => {
  await using server = await TestServer.start(config);
  const run = kannuki(server);
  await run('keyvault create -n kv1 -g rg1 --enabled-for-disk-encryption');
  await run('vm create -g rg1 -n vm1 --image debian-12 --size Standard_B1ms --data-disk-sizes-gb 4');
  await withAgent(server, async (client) => {
    const enable = 'vm encryption enable -g rg1 -n vm1 --disk-encryption-keyvault kv1 --volume-type DATA';
    const accepted = await run(enable);
    assert.equal(accepted.stdout, '');
    assert.match(
      accepted.stderr,
      /^The encryption request was accepted\. Please use 'show' command to monitor the progress\./,
    );
    await client.putStatus({ ...status, generation: 1 });
    const secretId = 'https://kv1.vault.localhost/secrets/s/0123456789abcdef0123456789abcdef';
    const waiting = run(`${enable} --wait --progress json`);
    for (const percent of [0, 50, 100]) {
      const goal = await client.waitForGoal(0, 0);
      const state = percent === 100 ? 'Encrypted' : 'EncryptionInProgress';
      const current: VolumeStatus = { ...volume, state, percent, bytesDone: percent * 10, secretId };
      await client.putStatus({ ...status, generation: goal?.generation ?? 0, volumes: [current] });
      await new Promise((resolve) => setTimeout(resolve, 1300));
      await client.putStatus({ ...status, generation: 99, volumes: [current] });
    }
    const waited = await waiting;
    assert.equal(waited.exitCode, 0, waited.stderr);
    const events = waited.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { event: string; volume: string; bytesDone: number });
    assert.ok(events.every(({ event, volume: name }) => event === 'progress' && name === '/data0'));
    assert.equal(events.at(-1)?.bytesDone, 1000);
    const view = json(await run('vm encryption show -g rg1 -n vm1'));
    assert.deepEqual(Object.keys(view), ['disks', 'status', 'substatus']);
  });
});

test('enable --wait: a refusal by the agent ends it with 10 and the findings', async () => {
  await using server = await TestServer.start(config);
  const run = kannuki(server);
  await run('keyvault create -n kv1 -g rg1 --enabled-for-disk-encryption');
  await run('vm create -g rg1 -n vm1 --image debian-12 --size Standard_B1ms --data-disk-sizes-gb 4');
  await withAgent(server, async (client) => {
    const finding = {
      rule: 'REQ-050',
      severity: 'refuse',
      subject: '/data0',
      message: 'a file is open',
      remedy: 'close it',
    };
    const problem = {
      target: '/data0',
      code: 'KNK-VOL-0006',
      message: 'refused',
      remedy: 'mend it',
      findings: [finding],
    };
    const enable = 'vm encryption enable -g rg1 -n vm1 --disk-encryption-keyvault kv1 --volume-type DATA --wait';
    const waiting = run(enable);
    await client.waitForGoal(0, 20);
    await client.putStatus({ ...status, generation: 1 });
    await client.putStatus({ ...status, generation: 2, problems: [problem] });
    const waited = await waiting;
    assert.equal(waited.exitCode, 10, waited.stderr);
    assert.match(waited.stdout, /REQ-050/);
  });
});
