import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { BlockDevice } from '../facts/model.ts';
import { checkSwap, checkSwapFiles, checkTemporary, type TemporaryDiskManagers } from './random-key.ts';
import { dataMount, dataPartition, device, formatted, healthyVm, line, mount } from './testing/vm.ts';

const none: TemporaryDiskManagers = { azureAgentFormats: false, resumeDevice: null };
const swap: BlockDevice = {
  ...device({ kernelName: 'sdd1', number: '8:49', type: 'part' }),
  signature: { usage: 'other', type: 'swap', version: '1', uuid: 'sss', label: null },
};
const swapLine = line(5, { source: 'UUID=sss', point: 'none', fileSystem: 'swap', device: 'sdd1' });

describe('swap space for a random key', () => {
  const vm = healthyVm({ swaps: [{ path: '/dev/sdd1', kind: 'partition' }] });
  const of = (one: BlockDevice, facts = vm, managers = none) =>
    checkSwap(facts, { device: one, mount: null, fstab: null }, managers).map(({ severity }) => severity);

  test('switched on, or in fstab', () => {
    assert.deepEqual(of(swap), []);
    assert.deepEqual(checkSwap(healthyVm(), { device: swap, mount: null, fstab: swapLine }, none), []);
  });

  const refused: readonly (readonly [string, BlockDevice])[] = [
    [
      'a hibernated machine',
      { ...swap, signature: { usage: 'other', type: 'swsuspend', version: null, uuid: 'sss', label: null } },
    ],
    ['a file system', formatted(swap, 'ext4', 'eee')],
    ['nothing at all', { ...swap, signature: null }],
    [
      'no UUID to go back to',
      { ...swap, signature: { usage: 'other', type: 'swap', version: '1', uuid: null, label: null } },
    ],
    ['something on top', { ...swap, children: ['dm-0'] }],
    ['read-only', { ...swap, readOnly: true }],
  ];
  for (const [what, one] of refused) test(`refused: ${what}`, () => assert.deepEqual(of(one), ['refuse']));

  test('refused: nobody uses it, or the machine hibernates to it', () => {
    assert.deepEqual(of(swap, healthyVm()), ['refuse']);
    assert.deepEqual(of(swap, vm, { ...none, resumeDevice: '8:49' }), ['refuse']);
    assert.deepEqual(of(swap, vm, { ...none, resumeDevice: '8:50' }), []);
  });
});

describe('the temporary disk', () => {
  const resource = formatted(
    device({ kernelName: 'sdb1', number: '8:17', type: 'part', links: ['/dev/disk/cloud/azure_resource-part1'] }),
    'ext4',
    'rrr',
  );
  const cloudLine = line(6, {
    source: '/dev/disk/cloud/azure_resource-part1',
    point: '/mnt',
    device: 'sdb1',
    options: ['defaults', 'nofail', 'comment=cloudconfig'],
  });
  const volume = { device: resource, mount: mount({ number: '8:17', point: '/mnt' }), fstab: null };
  const facts = healthyVm();

  test('without files, and nobody else looks after it', () => {
    assert.deepEqual(checkTemporary(facts, volume, none, false), []);
  });

  test('refused: files that nobody gave up, and a disk that is none', () => {
    assert.deepEqual(
      checkTemporary(facts, volume, none, true).map(({ rule, severity }) => [rule, severity]),
      [['REQ-169', 'refuse']],
    );
    const data = { device: dataPartition, mount: dataMount, fstab: null };
    assert.deepEqual(
      checkTemporary(facts, data, none, false).map(({ severity }) => severity),
      ['refuse'],
    );
  });

  test('a warning each: the Azure agent formats it, cloud-init wrote its line', () => {
    const found = checkTemporary(facts, { ...volume, fstab: cloudLine }, { ...none, azureAgentFormats: true }, false);
    assert.deepEqual(
      found.map(({ severity, subject }) => [severity, subject]),
      [
        ['warn', '/etc/waagent.conf'],
        ['warn', '/etc/fstab:6'],
      ],
    );
  });
});

test('a swap file on a plain volume is told of; on an encrypted one not', () => {
  const facts = healthyVm({ swaps: [{ path: '/data0/swapfile', kind: 'file' }] });
  assert.deepEqual(
    checkSwapFiles(facts).map(({ severity, subject }) => [severity, subject]),
    [['warn', '/data0/swapfile']],
  );
  const devices = facts.devices.map((one) => (one.kernelName === 'sdc1' ? { ...one, type: 'crypt' } : one));
  assert.deepEqual(checkSwapFiles({ ...facts, devices }), []);
});
