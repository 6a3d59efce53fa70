import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { hasCode, run } from '@kannuki/core';
import { lastingName } from '../targets/devices.ts';
import { readBlockDevices } from './block-devices.ts';
import { fakeMachine } from './testing/fake-machine.ts';
import { makeLoopDisk } from './testing/loop-disk.ts';

const mebibyte = 1024 * 1024;

describe('real devices', () => {
  const cases: readonly (readonly [string, readonly string[], string, string])[] = [
    [
      'mkfs.ext4',
      ['-q', '-b', '4096', '-U', 'd0747266-888b-4398-8da2-da710e42557e', '-L', 'a b$`"'],
      'filesystem',
      'ext4',
    ],
    ['mkfs.xfs', ['-q', '-m', 'uuid=d0747266-888b-4398-8da2-da710e42557e'], 'filesystem', 'xfs'],
    ['mkswap', ['--uuid', 'd0747266-888b-4398-8da2-da710e42557e'], 'other', 'swap'],
  ];
  for (const [program, args, usage, type] of cases) {
    test(`${type}: read from the device, without udev`, async () => {
      await using loop = await makeLoopDisk(512 * mebibyte, program, ...args);
      const devices = await readBlockDevices({ root: '/', run });
      const device = devices.find(({ path }) => path === loop.device);
      assert.deepEqual([device?.type, device?.sizeBytes, device?.readOnly], ['loop', 512 * mebibyte, false]);
      assert.deepEqual([device?.signature?.usage, device?.signature?.type], [usage, type]);
      assert.equal(device?.signature?.uuid, 'd0747266-888b-4398-8da2-da710e42557e');
      if (type === 'ext4') assert.equal(device?.signature?.label, 'a b$`"');
      assert.equal(device?.fileSystem?.blockBytes, type === 'swap' ? undefined : 4096);
    });
  }

  test('an empty disk has no signature, a disk with two has an ambiguous one', async () => {
    await using empty = await makeLoopDisk(300 * mebibyte, 'true');
    // The first sector of an XFS before an ext4, which begins behind it: what a careless mkfs leaves.
    const script =
      'mkfs.xfs -q "$0"; head -c 512 "$0" >"$1"; wipefs -qa "$0"; mkfs.ext4 -q "$0"; dd if="$1" of="$0" conv=notrunc status=none';
    await using both = await makeLoopDisk(
      300 * mebibyte,
      'sh',
      '-ec',
      script.replaceAll('$1', join(empty.folder, 'sector')),
    );
    const devices = await readBlockDevices({ root: '/', run });
    const of = (path: string) => devices.find((device) => device.path === path)?.signature;
    assert.equal(of(empty.device), null);
    assert.equal(of(both.device)?.usage, 'ambiguous');
  });
});

const lsblk = (devices: unknown): Readonly<Record<string, string>> => ({
  lsblk: JSON.stringify({ blockdevices: devices }),
});
const row = (kname: string, number: string, type: string, more: object = {}): object => ({
  kname,
  path: `/dev/${kname}`,
  'maj:min': number,
  type,
  size: 1073741824,
  ro: false,
  rm: false,
  serial: null,
  model: null,
  'log-sec': 512,
  'phy-sec': 4096,
  'disc-gran': 0,
  ...more,
});
const noSignature = { blkid: { exitCode: 2, stdout: '' } };

test('a mirror over two disks is one device with two parents', async () => {
  const array = row('md0', '9:0', 'raid1');
  const answers = lsblk([
    row('sdb', '8:16', 'disk', { children: [array], serial: ' S1 ' }),
    row('sdc', '8:32', 'disk', { children: [array] }),
    row('sr0', '11:0', 'rom'),
    row('nbd0', '43:0', 'disk', { size: 0 }),
  ]);
  using machine = fakeMachine({}, { ...answers, ...noSignature });
  const devices = await readBlockDevices(machine);
  assert.deepEqual(
    devices.map(({ kernelName, parents, children, serial }) => [kernelName, parents, children, serial]),
    [
      ['sdb', [], ['md0'], 'S1'],
      ['md0', ['sdb', 'sdc'], [], null],
      ['sdc', [], ['md0'], null],
      ['sr0', [], [], null],
    ],
  );
  assert.ok(
    !machine.ran.some((line) => line.startsWith('blkid') && line.includes('sr0')),
    'an optical drive is not probed',
  );
});

test('NVMe, virtio and SCSI disks of 512, 512e and 4Kn sectors, one of them over 2 TiB', async () => {
  const tebibyte = 1024 ** 4;
  const sectors = (logical: number, physical: number): object => ({ 'log-sec': logical, 'phy-sec': physical });
  const tree = [
    row('nvme0n1', '259:0', 'disk', {
      ...sectors(4096, 4096),
      size: 3 * tebibyte,
      serial: 'vol0abc',
      children: [
        row('nvme0n1p1', '259:1', 'part', { ...sectors(4096, 4096), partuuid: 'p-1', size: 3 * tebibyte - 2 ** 21 }),
      ],
    }),
    row('vdb', '254:16', 'disk', {
      ...sectors(512, 512),
      children: [row('vdb1', '254:17', 'part', sectors(512, 512))],
    }),
    row('sdaa', '65:160', 'disk', sectors(512, 4096)),
  ];
  const to = (name: string): { link: string } => ({ link: `/dev/${name}` });
  using machine = fakeMachine(
    {
      '/dev/nvme0n1p1': '',
      '/dev/vdb1': '',
      '/dev/sdaa': '',
      '/dev/disk/by-id/nvme-eui.0025-part1': to('nvme0n1p1'),
      '/dev/disk/by-id/virtio-data0-part1': to('vdb1'),
      '/dev/disk/by-id/scsi-3600': to('sdaa'),
    },
    { ...lsblk(tree), ...noSignature },
  );
  const devices = await readBlockDevices(machine);
  assert.deepEqual(
    devices.map((device) => [
      device.kernelName,
      device.parents,
      device.sizeBytes,
      device.logicalSectorBytes,
      device.physicalSectorBytes,
      lastingName(device),
    ]),
    [
      ['nvme0n1', [], 3 * tebibyte, 4096, 4096, null],
      ['nvme0n1p1', ['nvme0n1'], 3 * tebibyte - 2 ** 21, 4096, 4096, '/dev/disk/by-id/nvme-eui.0025-part1'],
      ['vdb', [], 2 ** 30, 512, 512, null],
      ['vdb1', ['vdb'], 2 ** 30, 512, 512, '/dev/disk/by-id/virtio-data0-part1'],
      ['sdaa', [], 2 ** 30, 512, 4096, '/dev/disk/by-id/scsi-3600'],
    ],
  );
});

test('an array without udev has the name that is written on it', async () => {
  const to = (name: string): { link: string } => ({ link: `/dev/${name}` });
  using machine = fakeMachine(
    { '/dev/md127': '', '/dev/md126': '', '/dev/md/data': to('md127'), '/dev/md/126_0': to('md126') },
    { ...lsblk([row('md127', '9:127', 'raid6'), row('md126', '9:126', 'raid1')]), ...noSignature },
  );
  assert.deepEqual((await readBlockDevices(machine)).map(lastingName), ['/dev/md/data', null]);
});

test('strings in place of numbers and flags, as old lsblk has them', async () => {
  const old = row('sdb', '  8:16 ', 'disk', {
    size: '1073741824',
    ro: '1',
    rm: '0',
    'log-sec': '512',
    'phy-sec': '4096',
    'disc-gran': '512',
  });
  using machine = fakeMachine({}, { ...lsblk([old]), ...noSignature });
  const [device] = await readBlockDevices(machine);
  assert.deepEqual(
    [device?.sizeBytes, device?.readOnly, device?.removable, device?.number, device?.discardBytes],
    [1073741824, true, false, '8:16', 512],
  );
});

test('an answer of another form is an error, not a guess', async () => {
  for (const stdout of [
    '',
    '{}',
    '[]',
    'null',
    '{"blockdevices":[{}]}',
    '{"blockdevices":[{"kname":"a","path":"/dev/a","maj:min":"1:1","type":"disk","size":-1}]}',
  ]) {
    using machine = fakeMachine({}, { lsblk: stdout });
    await assert.rejects(readBlockDevices(machine), (error) => hasCode(error, 'KNK-VOL-0101'), stdout);
  }
});

test('links below /dev/disk, and the one that lasts', async () => {
  const to = (name: string): { link: string } => ({ link: `/dev/${name}` });
  using machine = fakeMachine(
    {
      '/dev/sdc1': '',
      '/dev/sdd': '',
      '/dev/sde': '',
      '/dev/disk/by-uuid/abc': to('sdc1'),
      '/dev/disk/by-partuuid/p1': to('sdc1'),
      '/dev/disk/azure/scsi1/lun0-part1': to('sdc1'),
      '/dev/disk/by-path/pci-1': to('sdd'),
      '/dev/disk/by-label/x': to('sdd'),
      '/dev/disk/by-id/virtio-abc': to('sdd'),
      '/dev/disk/by-id/lvm-pv-uuid-x': to('sde'),
      '/dev/disk/by-uuid/def': to('sde'),
      '/dev/disk/by-uuid/dangling': to('gone'),
    },
    { ...lsblk([row('sdc1', '8:33', 'part'), row('sdd', '8:48', 'disk'), row('sde', '8:64', 'disk')]), ...noSignature },
  );
  const devices = await readBlockDevices(machine);
  assert.deepEqual(devices.map(lastingName), ['/dev/disk/by-partuuid/p1', '/dev/disk/by-id/virtio-abc', null]);
  assert.deepEqual(devices[0]?.links, [
    '/dev/disk/azure/scsi1/lun0-part1',
    '/dev/disk/by-partuuid/p1',
    '/dev/disk/by-uuid/abc',
  ]);
});
