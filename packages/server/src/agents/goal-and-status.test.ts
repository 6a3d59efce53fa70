import assert from 'node:assert/strict';
import { Agent, request } from 'node:https';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { dataVolume, goalVolumes, TestAgent } from '../testing/test-agent.ts';
import { TestServer } from '../testing/test-server.ts';

const vm = { resourceGroup: 'rg', name: 'vm1' };
const config = {
  images: [{ urn: 'Debian:debian-12:12:latest', volumes: 'os-and-data', reason: 'built by the test' }],
};

async function joined(server: TestServer): Promise<TestAgent> {
  const { token } = await server.makeVm('vm1');
  await server.admin.call('keyvault-create', {
    name: 'kv1',
    resourceGroup: 'rg',
    location: null,
    sku: 'standard',
    enabledForDiskEncryption: true,
  });
  await server.admin.call('keyvault-key-create', { vaultName: 'kv1', name: 'kek1', kind: 'RSA', bits: 2048 });
  return TestAgent.join(server, token);
}

/** Polls one after the other on one connection, as an agent does all day. */
class PollingConnection {
  readonly #url: string;
  readonly #connection: Agent;

  constructor({ server, authority, identity }: TestAgent) {
    this.#url = server.url;
    const { certificate: cert, key } = identity ?? {};
    this.#connection = new Agent({ ca: [authority], cert, key, keepAlive: true, maxSockets: 1 });
  }

  /** @param giveUpAfter milliseconds */
  poll(wait: number, giveUpAfter?: number): Promise<number | undefined> {
    return new Promise((resolve, reject) => {
      const options = { agent: this.#connection };
      const outgoing = request(`${this.#url}/agent/v1/goal?after=0&wait=${wait}`, options, (response) => {
        response.resume().on('end', () => resolve(response.statusCode));
      });
      outgoing.on('error', reject);
      if (giveUpAfter !== undefined) setTimeout(() => outgoing.destroy(), giveUpAfter);
      outgoing.end();
    });
  }

  close(): void {
    this.#connection.destroy();
  }
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

test('a long poll ends with nothing after its time, and at once with a new goal', async () => {
  await using server = await TestServer.start(config);
  const agent = await joined(server);
  const start = performance.now();
  assert.equal((await agent.call('GET', '/goal?after=0&wait=1')).status, 204);
  const waited = performance.now() - start;
  assert.ok(waited >= 900 && waited < 4000, `${waited} ms`);

  const poll = agent.call('GET', '/goal?after=0&wait=30');
  await sleep(200);
  const asked = performance.now();
  await enable(server);
  const answer = await poll;
  assert.ok(performance.now() - asked < 3000);
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.json?.volumes, [], 'targets are found in a status that was made after the request');
  assert.equal(answer.json?.generation, 1);
});

test('the targets of a goal are the data volumes that the next status shows', async () => {
  await using server = await TestServer.start(config);
  const agent = await joined(server);
  // Said before the request: a disk that is mounted after it would be missed.
  await agent.putStatus({ generation: 0, volumes: [dataVolume('NotEncrypted', { mountPoint: '/old' })] });
  await enable(server);
  const volumes = [
    dataVolume('NotEncrypted'),
    dataVolume('NotMounted', { name: 'sdb', device: '/dev/sdb', serial: 'data1', mountPoint: null }),
    dataVolume('NotEncrypted', { name: 'vda1', device: '/dev/vda1', serial: null, mountPoint: '/', kind: 'os' }),
  ];
  assert.equal((await agent.putStatus({ generation: 0, volumes })).status, 204);
  assert.deepEqual((await agent.call('GET', '/goal?after=0&wait=0')).json?.volumes, []);
  await agent.putStatus({ generation: 1, volumes });
  const answer = await agent.call('GET', '/goal?after=1&wait=5');
  const [goal, ...others] = goalVolumes(answer);
  assert.deepEqual(others, []);
  assert.match(String(goal?.kekId), /^https:\/\/kv1\.vault\.localhost\/keys\/kek1\/[0-9a-f]{32}$/);
  assert.deepEqual(
    { ...goal, kekId: null },
    {
      target: '/data0',
      wanted: 'Encrypted',
      vaultName: 'kv1',
      vaultUri: 'https://kv1.vault.localhost/',
      kekId: null,
      stopServices: true,
    },
  );
  assert.match(JSON.stringify(answer.json?.keyVolume), /^\{"fileSystemUuid":"[0-9A-F]{4}-[0-9A-F]{4}"\}$/);
});

test('goals and statuses survive a restart of the server, and so does its address', async () => {
  await using server = await TestServer.start(config);
  const agent = await joined(server);
  await enable(server);
  await agent.putStatus({ generation: 1, volumes: [dataVolume('NotEncrypted')] });
  const before = await agent.call('GET', '/goal?after=0&wait=0');
  const shownBefore = await server.admin.call('vm-show', vm);
  const { url } = server;
  await server.stop();
  await server.start();
  assert.equal(server.url, url);
  assert.deepEqual((await agent.call('GET', '/goal?after=0&wait=0')).json, before.json);
  assert.deepEqual(await server.admin.call('vm-show', vm), shownBefore);
});

test('a long poll is answered when the server ends, and the next server takes it up', async () => {
  await using server = await TestServer.start(config);
  const agent = await joined(server);
  const connection = new PollingConnection(agent);
  // On a connection that is up already, so that the poll is there before the end begins.
  assert.equal(await connection.poll(0), 204);
  const poll = connection.poll(50);
  await sleep(500);
  const start = performance.now();
  const [answer] = await Promise.all([poll, server.stop()]);
  assert.equal(answer, 204);
  assert.ok(performance.now() - start < 3000, 'the end of the server does not wait for the poll');
  await server.start();
  const again = agent.call('GET', '/goal?after=0&wait=50');
  await sleep(100);
  await enable(server);
  assert.equal((await again).status, 200);
});

test('a status that breaks the contract is refused and changes nothing', async () => {
  await using server = await TestServer.start(config);
  const agent = await joined(server);
  const good = dataVolume('NotEncrypted');
  await agent.putStatus({ volumes: [good] });
  const before = await server.admin.call('vm-show', vm);
  const bad: object[] = [
    { volumes: [{ ...good, state: 'Perfect' }] },
    { volumes: [{ ...good, percent: 101 }] },
    { volumes: [{ ...good, surprise: 1 }] },
    { volumes: Array.from({ length: 257 }, () => good) },
    { generation: '1' },
    { generation: -1 },
    { bootId: 'x'.repeat(65) },
    { unlocked: 'true' },
  ];
  for (const change of bad) {
    const answer = await agent.putStatus(change);
    assert.equal(answer.status, 400, JSON.stringify(change).slice(0, 100));
    assert.equal(answer.errorCode, 'KNK-SRV-0009');
  }
  assert.deepEqual(await server.admin.call('vm-show', vm), before);
});

test('a status may be 256 KiB, every other body 64 KiB', async () => {
  await using server = await TestServer.start(config);
  const agent = await joined(server);
  const finding = { rule: 'REQ-001', severity: 'note', subject: 's', message: 'm'.repeat(1900), remedy: 'r' };
  const problem = {
    target: '/data0',
    code: 'KNK-AGT-0010',
    message: 'm',
    remedy: 'r',
    findings: Array(60).fill(finding),
  };
  assert.equal((await agent.putStatus({ problems: [problem, { ...problem, target: '/b' }] })).status, 204);
  const more = Array.from({ length: 4 }, (_, index) => ({ ...problem, target: `/${index}` }));
  assert.equal((await agent.putStatus({ problems: more })).status, 413);
  assert.equal(
    (await agent.call('POST', '/renew', `{"certificateSigningRequest":"${'x'.repeat(70_000)}"}`)).status,
    413,
  );
});

test('wait and after are held to their bounds', async () => {
  await using server = await TestServer.start(config);
  const agent = await joined(server);
  for (const query of ['after=-1', 'wait=56', 'wait=1e3', 'after=abc', 'after=1&after=2', 'after=99999999999999999']) {
    assert.equal((await agent.call('GET', `/goal?${query}`)).status, 400, query);
  }
});

test('a client that goes away in the middle of its poll leaves nothing behind', async () => {
  await using server = await TestServer.start(config);
  const agent = await joined(server);
  const warnings: string[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning.message);
  process.on('warning', onWarning);
  const connection = new PollingConnection(agent);
  // Many on one connection, as an agent does all day.
  for (let count = 0; count < 15; count += 1) assert.equal(await connection.poll(0), 204);
  await assert.rejects(connection.poll(50, 100), /hang up/);
  connection.close();
  await sleep(100);
  process.off('warning', onWarning);
  assert.deepEqual(warnings, []);
  const start = performance.now();
  await server.stop();
  assert.ok(performance.now() - start < 3000, 'nobody waits any more');
});

test('of many polls of one VM the oldest are answered, the others wait on', async () => {
  await using server = await TestServer.start(config);
  const agent = await joined(server);
  const polls = Array.from({ length: 7 }, () => agent.call('GET', '/goal?after=0&wait=20'));
  const first = await Promise.race(polls);
  assert.equal(first.status, 204);
  await sleep(300);
  await enable(server);
  const statuses = (await Promise.all(polls)).map(({ status }) => status);
  assert.equal(statuses.filter((status) => status === 200).length, 4, statuses.join());
});
