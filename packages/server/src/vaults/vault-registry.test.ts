import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { SecretBytes } from '@kannuki/core';
import { type EmbeddedVaults, SealableVaults } from '@kannuki/keyvault';
import { openManagement } from '../resources/management.ts';
import { ServerDatabase } from '../storage/database.ts';
import { OperationStore } from '../storage/operation-store.ts';
import { OwnershipStore } from '../storage/ownership-store.ts';
import { VaultRegistryStore } from '../storage/vault-registry-store.ts';
import { VmStore } from '../storage/vm-store.ts';
import { VaultUpkeep } from './upkeep.ts';
import { newVault } from './vault-change.ts';
import { VaultService } from './vault-service.ts';

const day = 24 * 3600 * 1000;
const place = { name: 'kv1', resourceGroup: 'rg1', location: 'local' };

/** Both databases, opened and closed as often as a test wants, with a clock of its own. */
class Folder implements AsyncDisposable {
  readonly path: string;
  time = Date.now();
  readonly failures: { what: string; error: unknown }[] = [];

  constructor(path: string) {
    this.path = path;
  }

  async open() {
    const database = await ServerDatabase.open(join(this.path, 'server.db'));
    const now = (): number => this.time;
    const files = { databaseFile: join(this.path, 'vault.db'), rootKeyFile: join(this.path, 'root.key') };
    const sealable = await SealableVaults.open({ ...files, clock: now });
    const vaults = sealable.vaults();
    const onFailure = (failure: { what: string; error: unknown }): void => void this.failures.push(failure);
    const { arm, access } = openManagement({
      database,
      vmStore: new VmStore(database),
      vaults: sealable,
      subscriptionId: '11111111-2222-3333-4444-555555555555',
      tenantId: '99999999-2222-3333-4444-555555555555',
      location: 'local',
      hasKeyModule: false,
      now,
      onFailure,
    });
    const audit = { append: async () => undefined };
    const upkeep = new VaultUpkeep({ sealable, registry: arm.registry, audit, now, onFailure });
    return {
      ...arm,
      access,
      sealable,
      vaults,
      upkeep,
      database,
      store: new VaultRegistryStore(database),
      operationStore: new OperationStore(database),
      async start() {
        await upkeep.run();
        await arm.operations.resume();
      },
      async [Symbol.asyncDispose]() {
        await sealable.close();
        database.close();
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true });
  }
}

async function folder(): Promise<Folder> {
  return new Folder(await mkdtemp(join(tmpdir(), 'kannuki-registry-')));
}

async function putSecret(vaults: EmbeddedVaults, name = 'kv1'): Promise<void> {
  using value = SecretBytes.take(Buffer.from('secret'));
  await vaults.vault(name).setSecret('s', value, { contentType: null, tags: {} });
}

test('a creation that was cut at any point is whole after the next start', async () => {
  for (const hasPlace of [false, true]) {
    await using root = await folder();
    {
      await using server = await root.open();
      // The name is on record; the place for its objects may be.
      assert.ok(server.store.add(newVault({ ...place, createdAt: 1 }, { rbac: true })));
      if (hasPlace) await server.vaults.createVault('kv1');
      assert.equal(server.registry.find('kv1'), undefined);
      assert.equal(server.access.vault('kv1'), undefined);
    }
    await using server = await root.open();
    await server.start();
    assert.equal(server.registry.show('KV1').properties.rbac, true);
    assert.equal(server.access.vault('kv1')?.name, 'kv1');
    await putSecret(server.vaults);
    assert.equal(root.failures.length, 0);
  }
});

test('a purge that was cut at any point is done after the next start, and only then is the name free', async () => {
  for (const cut of ['marked', 'emptied', 'operation only'] as const) {
    await using root = await folder();
    {
      await using server = await root.open();
      await server.registry.create(place, {});
      await putSecret(server.vaults);
      const deleted = await server.registry.delete('kv1');
      const operation = {
        id: 'op',
        kind: 'purge-vault',
        subject: 'kv1',
        startedBy: 'x',
        status: 'InProgress',
      } as const;
      server.operationStore.add({ ...operation, error: null, startedAt: 1, endedAt: null });
      if (cut !== 'operation only') server.store.replace({ ...deleted, state: 'purging' });
      if (cut === 'emptied') await server.vaults.purgeVault('kv1');
      await assert.rejects(server.registry.create(place, {}), /KNK-ARM-000[34]/);
    }
    await using server = await root.open();
    await server.start();
    assert.equal(server.operations.find('op')?.status, 'Succeeded', cut);
    assert.deepEqual(server.vaults.names(), []);
    await server.registry.create(place, {});
    assert.deepEqual(server.vaults.vault('kv1').listSecrets(), []);
  }
});

test('a group whose deletion was cut is gone after the next start; an operation of an unknown kind has failed', async () => {
  await using root = await folder();
  {
    await using server = await root.open();
    server.groups.put('rg1', 'local', {});
    await server.registry.create(place, {});
    server.groups.markForRemoval('rg1');
    await assert.rejects(async () => server.groups.require('rg1'), { code: 'KNK-ARM-0013' });
    const running = { startedBy: 'x', status: 'InProgress', error: null, startedAt: 1, endedAt: null } as const;
    server.operationStore.add({ ...running, id: 'a', kind: 'delete-group', subject: 'rg1' });
    server.operationStore.add({ ...running, id: 'b', kind: 'of-tomorrow', subject: 'x' });
  }
  await using server = await root.open();
  await server.start();
  assert.deepEqual(server.groups.list(), []);
  assert.equal(server.registry.findDeleted('kv1')?.name, 'kv1');
  assert.equal(server.operations.find('a')?.status, 'Succeeded');
  assert.equal(server.operations.find('b')?.error?.code, 'OperationInterrupted');
});

test('deleted vaults go on their day and not before; what cannot go is told and tried again', async () => {
  await using root = await folder();
  await using server = await root.open();
  for (const [name, retentionDays] of [
    ['kv1', 7],
    ['kv2', 90],
  ] as const) {
    await server.registry.create({ ...place, name }, { retentionDays, purgeProtection: true });
    await server.registry.delete(name);
  }
  const left = (): string[] => server.registry.listDeleted().map(({ name }) => name);
  root.time += 7 * day - 1;
  await server.upkeep.run();
  assert.deepEqual(left(), ['kv1', 'kv2']);
  assert.throws(() => server.registry.assertPurgeable('kv1'), { code: 'KNK-KVT-0025' });
  root.time += 1;
  await Promise.all([server.upkeep.run(), server.upkeep.run(), server.registry.purge('KV1')]);
  assert.deepEqual(left(), ['kv2']);
  assert.equal(root.failures.length, 0);
  // A closed database takes nothing away: nothing throws, everything is told.
  root.time += 100 * day;
  await server.vaults.close();
  await server.upkeep.run();
  assert.ok(root.failures.some(({ what }) => what.endsWith('kv2')));
  assert.equal(server.registry.availability('kv2')?.reason, 'AlreadyExists');
});

test('objects in a place that the server does not know are given to nobody', async () => {
  await using root = await folder();
  await using server = await root.open();
  await server.vaults.createVault('kv1');
  await server.vaults.createVault('kv2');
  await putSecret(server.vaults);
  await assert.rejects(server.registry.create(place, {}), { code: 'KNK-ARM-0018' });
  // An empty place is no more than a place.
  await server.registry.create({ ...place, name: 'kv2' }, {});
  assert.equal(server.registry.availability('kv1'), null);
});

test('two creations of one name: one vault, one refusal', async () => {
  await using root = await folder();
  await using server = await root.open();
  const outcomes = await Promise.allSettled(
    ['kv1', 'KV1'].map((name) => server.registry.create({ ...place, name }, {})),
  );
  assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  assert.equal(server.registry.list().length, 1);
});

test('who makes a vault of a purged name shares nothing with the VMs that used the old one', async () => {
  await using root = await folder();
  await using server = await root.open();
  const model = { location: 'local', zone: null, image: 'x', imageUrn: 'a:b:c:d', size: 'x', memoryMib: 1, cpus: 1 };
  const vm = { id: 'vm', resourceGroup: 'rg1', name: 'vm', hostName: 'vm', state: 'ready', createdAt: 1 } as const;
  server.vmStore.add({ ...vm, keyVolumeId: 'AAAA-BBBB', model: { ...model, dataDisks: [] } });
  const ownership = new OwnershipStore(server.database);
  const own = { vault: 'kv1', name: 's' };
  for (const name of ['kv1', 'kv2']) {
    await server.registry.create({ ...place, name }, {});
    ownership.grantVault('vm', name);
  }
  ownership.grantKey('vm', own);
  ownership.claimSecret('vm', own);
  await server.registry.delete('kv1');
  // Softly deleted, everything is as it was when it comes back.
  assert.equal(ownership.secretOwner(own), 'vm');
  await server.registry.purge('KV1');
  await server.registry.create(place, {});
  assert.equal(ownership.secretOwner(own), undefined);
  assert.equal(ownership.mayUseKey('vm', own), false);
  assert.deepEqual([ownership.mayUseVault('vm', 'kv1'), ownership.mayUseVault('vm', 'kv2')], [false, true]);
});

test('an id leads to its object under every name that clients were told, and to none under others', async () => {
  await using root = await folder();
  await using server = await root.open();
  await server.registry.create(place, {});
  const service = new VaultService(server.sealable, server.registry, 'vaults.example');
  const version = '0'.repeat(32);
  const canonical = `https://kv1.vault.localhost/keys/kek/${version}`;
  const rows: readonly (readonly [string, boolean])[] = [
    ['kv1.vault.localhost', true],
    ['KV1.vault.localhost:8443', true],
    ['kv1.vaults.example:8443', true],
    ['kv1.vault.azure.net', true],
    ['kv2.vault.localhost', false],
    ['kv1.vault.localhost.evil.example', false],
    ['x.kv1.vault.localhost', false],
    ['kv1.evil.example', false],
    ['kv1', false],
  ];
  for (const [host, isOurs] of rows) {
    const found = service.vaultOf(`https://${host}/keys/kek/${version}`, 'keys');
    assert.equal(found?.id, isOurs ? canonical : undefined, host);
  }
  await server.registry.delete('kv1');
  assert.equal(service.vaultOf(canonical, 'keys'), undefined);
});
