import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KannukiError } from '@kannuki/core';
import type { AdminOperations } from '../local-admin/contract.ts';
import { dataVolume, goalVolumes, TestAgent } from '../testing/test-agent.ts';
import { TestServer } from '../testing/test-server.ts';
import type { EncryptionView } from './encryption-view.ts';

const vm = { resourceGroup: 'rg', name: 'vm1' };
const config = {
  images: [{ urn: 'Debian:debian-12:12:latest', volumes: 'os-and-data', reason: 'built by the test' }],
};
const enable: AdminOperations['vm-encryption-enable']['input'] = {
  ...vm,
  vaultName: 'kv1',
  kek: null,
  kekVaultName: null,
  volumeType: 'DATA',
  force: false,
  stopServices: false,
};

async function serverWithVm(settings: Readonly<Record<string, unknown>> = config): Promise<TestServer> {
  const server = await TestServer.start(settings);
  await server.makeVm('vm1');
  await makeVault(server, 'kv1');
  return server;
}

function makeVault(
  server: TestServer,
  name: string,
  more: { enabled?: boolean; location?: string } = {},
): Promise<object> {
  return server.admin.call('keyvault-create', {
    name,
    resourceGroup: 'rg',
    location: more.location ?? null,
    sku: 'standard',
    enabledForDiskEncryption: more.enabled ?? true,
  });
}

async function refusal(promise: Promise<unknown>): Promise<KannukiError> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof KannukiError, String(error));
    return error;
  }
  return assert.fail('nothing was refused');
}

test('all findings are told, not the first, and nothing is changed', async () => {
  await using server = await serverWithVm({});
  await makeVault(server, 'far', { enabled: false, location: 'westeurope' });
  const error = await refusal(server.admin.call('vm-encryption-enable', { ...enable, vaultName: 'far' }));
  assert.equal(error.code, 'KNK-SRV-0011');
  assert.equal(error.exitCode, 10);
  const rules = error.findings.filter(({ severity }) => severity === 'refuse').map(({ rule }) => rule);
  assert.ok(rules.includes('REQ-115') && rules.includes('REQ-062'), rules.join());
  assert.ok(rules.length >= 3, `the image is not in the table either: ${rules.join()}`);
  assert.ok(error.findings.every(({ message }) => message.en !== '' && message.ja !== ''));
  assert.equal(await server.admin.call('vm-encryption-show', vm), null);
});

test('--force turns the findings about the vault into warnings', async () => {
  await using server = await serverWithVm();
  await makeVault(server, 'far', { enabled: false, location: 'westeurope' });
  const { findings } = await server.admin.call('vm-encryption-enable', { ...enable, vaultName: 'far', force: true });
  const warned = findings.filter(({ severity }) => severity === 'warn').map(({ rule }) => rule);
  assert.ok(warned.includes('REQ-115') && warned.includes('REQ-062'), warned.join());
});

test('unknown vaults, keys and volume types are refused for what they are', async () => {
  await using server = await serverWithVm();
  const cases: readonly (readonly [Partial<typeof enable>, string])[] = [
    [{ vaultName: 'kv9' }, 'KNK-SRV-0010'],
    [{ kek: 'no-such-key' }, 'KNK-KVT-0003'],
    [{ kek: 'https://kv1.vault.localhost/secrets/x' }, 'KNK-KVT-0008'],
    [{ kekVaultName: 'kv9', kek: 'k' }, 'KNK-SRV-0010'],
    [{ volumeType: null }, 'KNK-SRV-0020'],
    [{ volumeType: 'OS' }, 'KNK-SRV-0022'],
    [{ volumeType: 'ALL' }, 'KNK-SRV-0022'],
    [{ name: 'vm9' }, 'KNK-SRV-0003'],
  ];
  for (const [change, code] of cases) {
    const error = await refusal(server.admin.call('vm-encryption-enable', { ...enable, ...change }));
    assert.equal(error.code, code, JSON.stringify(change));
  }
});

test('a KEK may live in another vault, and goes into the goal with its version', async () => {
  await using server = await serverWithVm();
  await makeVault(server, 'kv2');
  const made = await server.admin.call('keyvault-key-create', {
    vaultName: 'kv2',
    name: 'kek',
    kind: 'RSA',
    bits: 2048,
  });
  const agent = await TestAgent.join(server, server.lastToken());
  await server.admin.call('vm-encryption-enable', { ...enable, kek: 'kek', kekVaultName: 'kv2' });
  await agent.putStatus({ generation: 1, volumes: [dataVolume('NotEncrypted')] });
  const [goal] = goalVolumes(await agent.call('GET', '/goal?after=1&wait=5'));
  assert.equal(goal?.kekId, (made as { key: { kid: string } }).key.kid);
  assert.equal(goal?.vaultName, 'kv1');
  // The agent asks for it by way of the vault of its secret.
  assert.equal((await agent.vault('keyInfo', { keyId: goal?.kekId })).status, 200);
});

test('keys in hardware are refused where there is none, not faked', async () => {
  await using server = await serverWithVm();
  const hardware = { vaultName: 'kv1', name: 'k', kind: 'RSA-HSM', bits: 2048 } as const;
  assert.equal((await refusal(server.admin.call('keyvault-key-create', hardware))).code, 'KNK-KVT-0026');
});

test('show says what the agent says: from waiting over work to done', async () => {
  await using server = await serverWithVm();
  const agent = await TestAgent.join(server, server.lastToken());
  const show = async (): Promise<EncryptionView> => {
    const view = await server.admin.call('vm-encryption-show', vm);
    assert.ok(view !== null);
    return view;
  };
  assert.equal(await server.admin.call('vm-encryption-show', vm), null, 'REQ-200: never asked for');
  await server.admin.call('vm-encryption-enable', enable);
  assert.deepEqual(
    (await show()).status.map(({ code, message }) => [code, message]),
    [['ProvisioningState/transitioning', 'Extension status not available on the VM.']],
  );
  await agent.putStatus({ generation: 1, volumes: [dataVolume('NotEncrypted')] });

  const ids = {
    secretId: 'https://kv1.vault.localhost/secrets/s/0123456789abcdef0123456789abcdef',
    keySource: 'key-volume',
  } as const;
  await agent.putStatus({ generation: 2, volumes: [dataVolume('EncryptionInProgress', { ...ids, percent: 41.5 })] });
  const working = await show();
  assert.equal(working.status[0]?.message, 'Encrypting data volume 1/1: 41.5 %');
  assert.deepEqual(JSON.parse(working.substatus[0]?.message ?? ''), {
    os: 'NotEncrypted',
    data: 'EncryptionInProgress',
    EncryptionOperation: 'EnableEncryption',
  });

  await agent.putStatus({ generation: 2, volumes: [dataVolume('Encrypted', ids)] });
  const done = await show();
  const { id } = (await server.admin.call('vm-show', vm)) as { id: string };
  const subscriptionId = id.split('/')[2];
  assert.deepEqual(done.disks, [
    {
      name: 'vm1_OsDisk',
      encryptionSettings: null,
      statuses: [
        {
          code: 'EncryptionState/notEncrypted',
          displayStatus: 'Encryption is not enabled on disk',
          level: 'Info',
          message: null,
          time: null,
        },
      ],
    },
    {
      name: 'vm1_DataDisk_0',
      encryptionSettings: [
        {
          enabled: true,
          diskEncryptionKey: {
            secretUrl: ids.secretId,
            sourceVault: {
              id: `/subscriptions/${subscriptionId}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv1`,
            },
          },
          keyEncryptionKey: null,
        },
      ],
      statuses: [
        {
          code: 'EncryptionState/encrypted',
          displayStatus: 'Encryption is enabled on disk',
          level: 'Info',
          message: null,
          time: null,
        },
      ],
    },
  ]);
  assert.equal(done.status[0]?.code, 'ProvisioningState/succeeded');
  assert.deepEqual(Object.keys(done.status[0] ?? {}), ['code', 'displayStatus', 'level', 'message', 'time']);
  assert.equal(done.substatus[0]?.message, '{"os":"NotEncrypted","data":"Encrypted"}');
  assert.deepEqual(Object.keys(done), ['disks', 'status', 'substatus']);
});

test('a refusal by the agent shows as failed, with its words', async () => {
  await using server = await serverWithVm();
  const agent = await TestAgent.join(server, server.lastToken());
  await server.admin.call('vm-encryption-enable', enable);
  await agent.putStatus({ generation: 1, volumes: [dataVolume('NotEncrypted')] });
  const problem = {
    target: '/data0',
    code: 'KNK-VOL-0006',
    message: 'it was refused',
    remedy: 'mend it',
    findings: [],
  };
  await agent.putStatus({ generation: 2, volumes: [dataVolume('NotEncrypted')], problems: [problem] });
  const view = await server.admin.call('vm-encryption-show', vm);
  assert.equal(view?.status[0]?.code, 'ProvisioningState/failed');
  assert.equal(view?.status[0]?.level, 'Error');
  assert.match(view?.status[0]?.message ?? '', /\/data0: KNK-VOL-0006: it was refused; mend it/);
  const progress = await server.admin.call('vm-encryption-progress', vm);
  assert.equal(progress.done, false);
  assert.deepEqual(progress.problems, [problem]);
});

test('asking again takes in a disk that came since, and keeps the others', async () => {
  await using server = await serverWithVm();
  const agent = await TestAgent.join(server, server.lastToken());
  const more = dataVolume('NotEncrypted', { name: 'sdb', device: '/dev/sdb', serial: 'data1', mountPoint: '/data1' });
  await server.admin.call('vm-encryption-enable', enable);
  await agent.putStatus({ generation: 1, volumes: [dataVolume('NotEncrypted')] });
  // REQ-171: a disk that is mounted later is not taken by itself.
  await agent.putStatus({ generation: 2, volumes: [dataVolume('Encrypted'), more] });
  const targets = async (after: number): Promise<unknown[]> => {
    return goalVolumes(await agent.call('GET', `/goal?after=${after}&wait=5`)).map(({ target }) => target);
  };
  assert.deepEqual(await targets(1), ['/data0']);
  await server.admin.call('vm-encryption-enable', enable);
  await agent.putStatus({ generation: 3, volumes: [dataVolume('Encrypted'), more] });
  assert.deepEqual(await targets(3), ['/data0', '/data1']);
});
