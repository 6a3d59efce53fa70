import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Run } from '@kannuki/core';
import { PaceFile } from './pace/pace-file.ts';
import { defaultPaths } from './paths.ts';
import { ProgressFile } from './progress-file.ts';
import { listVolumes } from './status.ts';

const parts = {
  paths: defaultPaths,
  journals: [],
  progressFile: new ProgressFile('/nonexistent'),
  pace: new PaceFile(defaultPaths),
};

/** What lsblk printed on real machines, cut to what matters. */
function lsblk(blockdevices: readonly object[]): Run {
  return async () => ({ exitCode: 0, stdout: JSON.stringify({ blockdevices }), stderr: '' });
}

const size = 1 << 30;
const common = { size, serial: null, fstype: null, fsused: null, mountpoints: [null] };

test('the pieces that cryptsetup works with are no volumes, and what lies on them belongs to the disk', async () => {
  const mapping = {
    ...common,
    name: 'kn_data0',
    path: '/dev/mapper/kn_data0',
    type: 'crypt',
    fstype: 'ext4',
    mountpoints: ['/data0'],
  };
  const piece = {
    ...common,
    name: 'kn_data0-hotzone-forward',
    path: '/dev/mapper/kn_data0-hotzone-forward',
    type: 'crypt',
  };
  const disk = {
    ...common,
    name: 'sda',
    path: '/dev/sda',
    type: 'disk',
    serial: 'data0',
    children: [{ ...piece, children: [mapping] }, piece],
  };
  const volumes = await listVolumes({ ...parts, run: lsblk([disk]) });
  assert.deepEqual(
    volumes.map(({ name, device, serial, mountPoint }) => ({ name, device, serial, mountPoint })),
    [{ name: 'kn_data0', device: '/dev/sda', serial: 'data0', mountPoint: '/data0' }],
  );
});

test('partitions have the serial number of their disk; the OS disk and small partitions are told apart', async () => {
  const root = { ...common, name: 'vda2', path: '/dev/vda2', type: 'part', fstype: 'ext4', mountpoints: ['/'] };
  const bios = { ...common, name: 'vda1', path: '/dev/vda1', type: 'part', size: 1 << 20 };
  const disk = { ...common, name: 'vda', path: '/dev/vda', type: 'disk', serial: 'os', children: [bios, root] };
  const rom = { ...common, name: 'sr0', path: '/dev/sr0', type: 'rom' };
  const volumes = await listVolumes({ ...parts, run: lsblk([disk, rom]) });
  assert.deepEqual(
    volumes.map(({ name, serial, kind, state }) => ({ name, serial, kind, state })),
    [
      { name: 'vda1', serial: 'os', kind: 'other', state: 'NotMounted' },
      { name: 'vda2', serial: 'os', kind: 'os', state: 'NotEncrypted' },
    ],
  );
});

test('a logical volume over two encrypted disks is one volume and encrypted; over one encrypted and one plain disk it is not', async () => {
  const logical = {
    ...common,
    name: 'data-one',
    path: '/dev/mapper/data-one',
    type: 'lvm',
    fstype: 'xfs',
    mountpoints: ['/srv'],
  };
  const crypt = (name: string): object => ({
    ...common,
    name,
    path: `/dev/mapper/${name}`,
    type: 'crypt',
    children: [logical],
  });
  const disk = (name: string, child: object): object => ({
    ...common,
    name,
    path: `/dev/${name}`,
    type: 'disk',
    children: [child],
  });
  const states = async (...disks: readonly object[]): Promise<readonly string[]> =>
    (await listVolumes({ ...parts, run: lsblk(disks) })).map(
      ({ name, state, percent }) => `${name} ${state} ${percent}`,
    );
  assert.deepEqual(await states(disk('sda', crypt('a')), disk('sdb', crypt('b'))), ['data-one Encrypted 100']);
  const [row] = await listVolumes({ ...parts, run: lsblk([disk('sda', crypt('a'))]) });
  assert.equal(row?.device, '/dev/sda', 'the disk that holds the ciphertext');
  assert.deepEqual(await states(disk('sda', crypt('a')), disk('sdb', logical)), ['data-one NotEncrypted 0']);
  assert.deepEqual(await states(disk('sda', logical), disk('sdb', crypt('b'))), ['data-one NotEncrypted 0']);
});
