import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { exitCodes, KannukiError } from '@kannuki/core';
import {
  bootPartition,
  dataLine,
  dataMount,
  dataPartition,
  dataUuid,
  device,
  formatted,
  healthyVm,
  line,
  mount,
  osPartition,
  rootLine,
  rootMount,
} from '../checks/testing/vm.ts';
import { fakeMachine } from '../facts/testing/fake-machine.ts';
import { lastingName } from './devices.ts';
import { resolveTargets, volumesOfType } from './targets.ts';

const btrfs = formatted(device({ kernelName: 'sdd', number: '8:48' }), 'btrfs', 'bbb');
const facts = healthyVm({
  devices: [...healthyVm().devices, btrfs],
  mounts: [
    rootMount,
    dataMount,
    mount({ number: '0:40', point: '/tmp', fileSystem: 'tmpfs', source: 'tmpfs' }),
    mount({ number: '0:61', point: '/data1', fileSystem: 'btrfs', source: '/dev/sdd' }),
  ],
});

/** A root where /dev/vg/lv and /data lead to the data volume. */
function machine() {
  const fake = fakeMachine({
    '/dev/sdc1': '',
    '/dev/vg/lv': { link: '../sdc1' },
    '/data': { link: '/data0' },
  });
  mkdirSync(join(fake.root, 'data0'));
  return fake;
}

describe('what a target means', () => {
  const same = [
    '/data0',
    '/data0/',
    '/data',
    '/dev/sdc1',
    '/dev/vg/lv',
    `UUID=${dataUuid}`,
    '/dev/disk/azure/scsi1/lun0-part1',
  ];
  for (const target of same) {
    test(target, async () => {
      using fake = machine();
      const [volume] = await resolveTargets(facts, [target], fake);
      assert.deepEqual(volume, { device: dataPartition, mount: dataMount, fstab: dataLine });
    });
  }

  test('names of one volume give it once', async () => {
    using fake = machine();
    assert.equal((await resolveTargets(facts, same, fake)).length, 1);
  });

  test('btrfs, whose mounts have a device number of their own', async () => {
    using fake = machine();
    const [volume] = await resolveTargets(facts, ['/data1'], fake);
    assert.equal(volume?.device.kernelName, 'sdd');
  });

  test('a mount point of fstab where nothing is mounted', async () => {
    using fake = machine();
    const unmounted = healthyVm({ mounts: [rootMount] });
    const [volume] = await resolveTargets(unmounted, ['/data0'], fake);
    assert.deepEqual([volume?.device.kernelName, volume?.mount, volume?.fstab], ['sdc1', null, dataLine]);
  });

  test('a bind mount means its own place', async () => {
    using fake = machine();
    const bind = mount({ number: '8:33', point: '/srv/x', root: '/x' });
    const [volume] = await resolveTargets(healthyVm({ mounts: [rootMount, dataMount, bind] }), ['/srv/x'], fake);
    assert.equal(volume?.mount, bind);
  });

  const failures: readonly (readonly [string, string, number])[] = [
    ['/nowhere', 'KNK-VOL-0100', exitCodes.notFound],
    ['/data0/folder', 'KNK-VOL-0100', exitCodes.notFound],
    ['/dev/sdz', 'KNK-VOL-0100', exitCodes.notFound],
    ['UUID=none', 'KNK-VOL-0100', exitCodes.notFound],
    ['data0', 'KNK-VOL-0100', exitCodes.notFound],
    ['', 'KNK-VOL-0100', exitCodes.notFound],
    ['/tmp', 'KNK-VOL-0103', exitCodes.refused],
  ];
  for (const [target, code, exitCode] of failures) {
    test(`no volume: "${target}"`, async () => {
      using fake = machine();
      await assert.rejects(resolveTargets(facts, ['/data0', target], fake), (error) => {
        assert.ok(error instanceof KannukiError);
        assert.deepEqual([error.code, error.exitCode], [code, exitCode]);
        return true;
      });
    });
  }
});

describe('volumes of a type', () => {
  const names = (type: 'OS' | 'DATA' | 'ALL', vm = facts): readonly string[] =>
    volumesOfType(vm, type).map(({ device: { kernelName } }) => kernelName);

  test('OS, data, all', () => {
    assert.deepEqual(names('DATA'), ['sdc1', 'sdd']);
    assert.deepEqual(names('OS'), ['sda1', 'sda15']);
    assert.deepEqual(names('ALL'), ['sda1', 'sda15', 'sdc1', 'sdd']);
  });

  test('never the key volume, the resource disk, loop devices or optical drives', () => {
    const key = { ...formatted(device({ kernelName: 'sde', number: '8:64' }), 'vfat', '1-2') };
    const others = [
      { ...key, signature: { usage: 'filesystem', type: 'vfat', version: null, uuid: '1-2', label: 'BEK VOLUME' } },
      device({ kernelName: 'sdb', number: '8:16', children: ['sdb1'], links: ['/dev/disk/cloud/azure_resource'] }),
      formatted(device({ kernelName: 'sdb1', number: '8:17', type: 'part', parents: ['sdb'] }), 'ext4', 'rrr'),
      device({ kernelName: 'loop0', number: '7:0', type: 'loop' }),
      device({ kernelName: 'sr0', number: '11:0', type: 'rom' }),
    ];
    assert.deepEqual(names('DATA', healthyVm({ devices: [...healthyVm().devices, ...others] })), ['sdc1']);
  });

  test('an OS on LVM takes all its disks along', () => {
    const disks = [
      device({ kernelName: 'sda', number: '8:0', children: ['dm-0'] }),
      device({ kernelName: 'sdb', number: '8:16', children: ['dm-0', 'sdb2'] }),
      formatted(device({ kernelName: 'dm-0', number: '253:0', type: 'lvm', parents: ['sda', 'sdb'] }), 'xfs', 'o'),
      formatted(device({ kernelName: 'sdb2', number: '8:18', type: 'part', parents: ['sdb'] }), 'ext4', 'p'),
      dataPartition,
    ];
    const vm = healthyVm({ devices: disks, mounts: [mount({ number: '253:0', point: '/' }), dataMount] });
    assert.deepEqual(names('DATA', vm), ['sdc1']);
    assert.deepEqual(names('OS', vm), ['dm-0', 'sdb2']);
  });

  test('the mount that fstab tells of comes before an earlier one', () => {
    const first = mount({ number: '8:33', point: '/a' });
    const vm = healthyVm({ mounts: [rootMount, first, dataMount] });
    assert.equal(volumesOfType(vm, 'DATA')[0]?.mount, dataMount);
    const other = healthyVm({
      mounts: [rootMount, first],
      fstab: [rootLine, line(3, { source: 'x', point: '/b', device: 'sdc1' })],
    });
    assert.equal(volumesOfType(other, 'DATA')[0]?.mount, first);
  });
});

test('names that last: what the device is, not what is on it', () => {
  const named = (links: readonly string[], path = '/dev/sdx') =>
    lastingName(device({ kernelName: 'sdx', number: '8:1', path, links }));
  assert.equal(named(['/dev/disk/by-uuid/a', '/dev/disk/by-label/b', '/dev/disk/by-id/lvm-pv-uuid-c']), null);
  assert.equal(named(['/dev/disk/by-path/p', '/dev/disk/azure/scsi1/lun3']), '/dev/disk/azure/scsi1/lun3');
  assert.equal(
    named(['/dev/disk/by-path/p', '/dev/disk/by-id/dm-name-x', '/dev/disk/by-id/nvme-x']),
    '/dev/disk/by-id/nvme-x',
  );
  assert.equal(named([], '/dev/mapper/vg-lv'), '/dev/mapper/vg-lv');
  assert.equal(lastingName(osPartition), null);
  assert.equal(lastingName(bootPartition), null);
});
