import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isPhysicalVolumeUse, PhysicalVolume, type PhysicalVolumeUse } from './physical-volume.ts';
import { isUse } from './uses.ts';

const use: PhysicalVolumeUse = {
  kind: 'physical-volume',
  uuid: 'p-v',
  group: { name: 'data', uuid: 'v-g' },
  mounts: [
    { device: '/dev/mapper/data-a', fileSystem: { type: 'xfs', uuid: 'u-1' }, point: '/srv', options: 'nofail' },
    { device: '/dev/mapper/data-b', fileSystem: { type: 'ext4', uuid: 'u-2' }, point: '/srv/in', options: 'nofail' },
  ],
  swaps: ['/dev/mapper/data-swap'],
  rawDevice: '/dev/disk/by-id/scsi-1',
};

test('the boot: fstab stays, the disk is hidden, and each volume is waited for as long as for the disk, by either name', () => {
  const { fstab, mountsLine, units, conversionUnits, hiddenFromLvm } = new PhysicalVolume(use).bootEntries();
  assert.deepEqual([fstab, mountsLine, conversionUnits, hiddenFromLvm], [[], null, [], use.rawDevice]);
  assert.deepEqual(
    units.map(({ path }) => path),
    [
      'dev-mapper-data\\x2da.device.d/50-kannuki.conf',
      'dev-disk-by\\x2duuid-u\\x2d1.device.d/50-kannuki.conf',
      'dev-mapper-data\\x2db.device.d/50-kannuki.conf',
      'dev-disk-by\\x2duuid-u\\x2d2.device.d/50-kannuki.conf',
      'dev-mapper-data\\x2dswap.device.d/50-kannuki.conf',
    ],
  );
});

test('by hand: only the mapping is shown to LVM, and inner mounts go first', () => {
  const volume = new PhysicalVolume(use);
  assert.match(
    volume.enterByHand('/dev/mapper/kn_x'),
    /global_filter = \[ "a\|\^\/dev\/mapper\/kn_x\$\|", "r\|\.\*\|" \]/,
  );
  assert.equal(volume.leaveByHand(), 'umount /srv/in && umount /srv && vgchange -an data');
});

test('a journal with a use of another form is not read', () => {
  assert.ok(isUse(use));
  for (const broken of [
    null,
    {},
    { ...use, group: { name: 'data' } },
    { ...use, mounts: 'all' },
    { ...use, uuid: 1 },
  ]) {
    assert.ok(!isPhysicalVolumeUse(broken) && !isUse(broken));
  }
});
