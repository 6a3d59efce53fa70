import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { KannukiError } from '@kannuki/core';
import { ServerDatabase } from '../storage/database.ts';
import { VmStore } from '../storage/vm-store.ts';
import { TestAgent } from '../testing/test-agent.ts';
import { TestServer } from '../testing/test-server.ts';
import { newVolumeId } from './names.ts';
import type { Vm } from './vm.ts';

const create = {
  resourceGroup: 'rg',
  name: 'vm1',
  image: 'debian-12',
  size: 'Standard_B1ms',
  location: null,
  zone: null,
  dataDiskSizesGb: [8],
};

function refusedWith(code: string) {
  return (error: unknown): boolean => error instanceof KannukiError && error.code === code;
}

test('names ignore letter case, and a name is taken once in a resource group', async () => {
  await using server = await TestServer.start();
  await server.admin.call('vm-create', create);
  await assert.rejects(
    server.admin.call('vm-create', { ...create, name: 'VM1', resourceGroup: 'RG' }),
    refusedWith('KNK-SRV-0004'),
  );
  await server.admin.call('vm-create', { ...create, resourceGroup: 'other' });
  assert.equal((await server.admin.call('vm-list', { resourceGroup: null })).length, 2);
  assert.equal((await server.admin.call('vm-list', { resourceGroup: 'RG' })).length, 1);
});

test('what cannot be made is refused before the host is asked', async () => {
  await using server = await TestServer.start();
  const wrong: readonly (readonly [Partial<typeof create>, string])[] = [
    [{ image: 'ubuntu' }, 'KNK-SRV-0015'],
    [{ size: 'Standard_Huge' }, 'KNK-SRV-0016'],
    [{ name: '../etc' }, 'KNK-SRV-0026'],
    [{ resourceGroup: 'a/b' }, 'KNK-SRV-0026'],
    [{ dataDiskSizesGb: [0] }, 'KNK-SRV-0009'],
    [{ dataDiskSizesGb: [1, 1, 1, 1, 1, 1, 1, 1, 1] }, 'KNK-SRV-0009'],
  ];
  for (const [change, code] of wrong) {
    await assert.rejects(server.admin.call('vm-create', { ...create, ...change }), refusedWith(code), code);
  }
  assert.deepEqual(server.host.calls, []);
});

test('the size gives memory and processors, the disks get serial numbers', async () => {
  await using server = await TestServer.start();
  await server.admin.call('vm-create', { ...create, size: 'standard_d2s_v5', dataDiskSizesGb: [1, 2] });
  const [made] = await server.host.listVms();
  assert.equal(made?.memoryMiB, 8192);
  assert.equal(made?.cpus, 2);
  assert.deepEqual(
    made?.dataDisks.map(({ sizeBytes, serial }) => [sizeBytes, serial]),
    [
      [2 ** 30, 'data0'],
      [2 ** 31, 'data1'],
    ],
  );
});

test('a host that fails to make a VM leaves none behind', async () => {
  await using server = await TestServer.start();
  server.host.failNext = {
    call: 'createVm',
    error: new KannukiError('KNK-CMD-0002', { details: { program: 'qemu' } }),
  };
  await assert.rejects(server.admin.call('vm-create', create), refusedWith('KNK-CMD-0002'));
  assert.deepEqual(await server.admin.call('vm-list', { resourceGroup: null }), []);
  await server.admin.call('vm-create', create);
});

test('what a crash in the middle of making or deleting has left is put right at the next start', async () => {
  await using server = await TestServer.start();
  await server.admin.call('vm-create', { ...create, name: 'deleting' });
  await server.stop();
  const database = await ServerDatabase.open(join(server.folder, 'server.db'));
  const vms = new VmStore(database);
  const [left] = vms.list();
  assert.ok(left !== undefined);
  vms.setState(left.id, 'deleting');
  const half = (name: string): Vm => ({
    ...left,
    name,
    id: randomUUID(),
    hostName: `${name}-host`,
    state: 'creating',
    keyVolumeId: newVolumeId(),
  });
  vms.add(half('never-made'));
  vms.add(half('made'));
  database.close();
  await server.host.createVm({ name: 'made-host', image: 'debian-12', memoryMiB: 1, cpus: 1, dataDisks: [] });
  await server.start();
  const names = (await server.admin.call('vm-list', { resourceGroup: null })).map(
    (vm) => (vm as { name: string }).name,
  );
  assert.deepEqual(names, ['made']);
  assert.deepEqual(
    (await server.host.listVms()).map(({ name }) => name),
    ['made-host'],
  );
});

test('a deleted VM is gone with its certificates, and its name can be used again', async () => {
  await using server = await TestServer.start();
  const { token } = await server.makeVm('vm1');
  const agent = await TestAgent.join(server, token);
  await server.admin.call('vm-delete', { resourceGroup: 'rg', name: 'vm1' });
  assert.equal((await agent.call('GET', '/goal?after=0&wait=0')).status, 401);
  await server.admin.call('vm-create', create);
  assert.equal((await agent.call('GET', '/goal?after=0&wait=0')).status, 401);
});

test('commands for one VM do not interleave at the host', async () => {
  await using server = await TestServer.start();
  await server.makeVm('vm1');
  const name = { resourceGroup: 'rg', name: 'vm1' };
  const before = server.host.calls.length;
  await Promise.all([
    server.admin.call('vm-restart', name),
    server.admin.call('vm-restart', name),
    server.admin.call('vm-restart', name),
  ]);
  const calls = server.host.calls.slice(before).map((call) => call.split(' ')[0]);
  assert.deepEqual(calls, ['stop', 'start', 'stop', 'start', 'stop', 'start']);
});
