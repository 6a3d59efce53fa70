import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Segment } from '@kannuki/formats';
import { device, formatted, gibibyte, healthyVm, mount } from '../checks/testing/vm.ts';
import type { BlockDevice, GuestFacts } from '../facts/model.ts';
import type { Journal } from '../volumes/journal.ts';
import { checkGrowth } from './check-growth.ts';
import type { LayerDetails } from './details.ts';
import { layersOf } from './layers.ts';

/** Only what is looked at here. */
const journal = { name: 'kn_data0', keySource: 'vault' } as Journal;
const crypt: Segment = {
  type: 'crypt',
  offset: 0n,
  size: 'dynamic',
  flags: [],
  crypt: { encryption: 'aes-xts-plain64', ivTweak: 0n, sectorSize: 4096 },
};
const noDetails: LayerDetails = {
  tables: new Map(),
  partitionNumbers: new Map(),
  arrays: new Map(),
  logicalVolumes: new Map(),
  segments: new Map([['dm-0', [crypt]]]),
  withOldDriver: new Set(),
};

function disk(kernelName: string, changes: Partial<BlockDevice> = {}): BlockDevice {
  return device({ kernelName, number: `8:${kernelName.charCodeAt(2)}`, ...changes });
}

function mapping(kernelName: string, below: string, changes: Partial<BlockDevice> = {}): BlockDevice {
  return device({
    kernelName,
    number: `253:${kernelName.slice(3)}`,
    type: 'crypt',
    path: '/dev/mapper/kn_data0',
    parents: [below],
    ...changes,
  });
}

function facts(devices: readonly BlockDevice[], changes: Partial<GuestFacts> = {}): GuestFacts {
  const healthy = healthyVm();
  return { ...healthy, devices: [...healthy.devices, ...devices], ...changes };
}

function kindsOf(vm: GuestFacts, one: BlockDevice | undefined): readonly string[] {
  return layersOf(vm, one ?? assert.fail(), [journal]).map(
    ({ kind, device: { kernelName } }) => `${kind} ${kernelName}`,
  );
}

function refusals(
  vm: GuestFacts,
  one: BlockDevice | undefined,
  details: LayerDetails = noDetails,
  journals = [journal],
) {
  return checkGrowth(vm, layersOf(vm, one ?? assert.fail(), journals), details).map(
    ({ rule, subject, message }) => `${rule} ${subject}: ${message.en}`,
  );
}

const whole = [disk('sdd', { children: ['dm-0'] }), formatted(mapping('dm-0', 'sdd'), 'ext4', 'u-1')] as const;
const mounted = mount({ number: '253:0', point: '/data1' });

test('whoever names the disk, the mapping or the volume means the same layers', () => {
  const vm = facts(whole, { mounts: [...healthyVm().mounts, mounted] });
  const wanted = ['disk sdd', 'mapping dm-0', 'file-system dm-0'];
  for (const one of whole) assert.deepEqual(kindsOf(vm, one), wanted);
  assert.deepEqual(refusals(vm, whole[1]), []);
});

test('what lies on several disks has all of them, each once and before what needs it', () => {
  const group = { name: 'data', uuid: 'vg', missingCount: 0, isElsewhere: false };
  const member = (kernelName: string) =>
    disk(kernelName, { children: ['dm-1'], signature: signature('LVM2_member', kernelName) });
  const volume = formatted(
    device({ kernelName: 'dm-1', number: '253:1', type: 'lvm', path: '/dev/mapper/data-one', parents: ['sdd'] }),
    'xfs',
    'u-2',
  );
  const members = [member('sdd'), member('sde')];
  const physicalVolumes = members.map(({ kernelName }) => ({
    device: kernelName,
    uuid: kernelName,
    isDuplicate: false,
    group,
  }));
  const vm = facts([...members, volume], { physicalVolumes });
  assert.deepEqual(kindsOf(vm, volume), [
    'disk sdd',
    'disk sde',
    'physical-volume sdd',
    'physical-volume sde',
    'logical-volume dm-1',
    'file-system dm-1',
  ]);
  const withOs = { ...group, uuid: 'vg-os' };
  const osToo = ['sdd', 'sda1'].map((name) => ({ device: name, uuid: name, isDuplicate: false, group: withOs }));
  assert.match(
    refusals(facts([...members, volume], { physicalVolumes: osToo }), volume)[0] ?? '',
    /^REQ-292 \/dev\/sda/,
  );
  // The disk alone: the group gets larger, and no volume of it.
  assert.deepEqual(kindsOf(vm, members[1]), ['disk sde', 'physical-volume sde']);
});

test('a btrfs on two devices grows on both', () => {
  const [one, other] = ['sdd', 'sde'].map((name) => formatted(disk(name), 'btrfs', 'u-3'));
  const vm = facts([one ?? assert.fail(), other ?? assert.fail()]);
  assert.deepEqual(kindsOf(vm, other), ['disk sdd', 'file-system sdd', 'disk sde', 'file-system sde']);
});

test('the OS disk, swap space, unmounted and read-only file systems, mappings of others are refused', () => {
  const vm = facts(whole);
  const os = healthyVm().devices.find(({ kernelName }) => kernelName === 'sda1');
  assert.match(refusals(vm, os)[0] ?? '', /^REQ-292 \/dev\/sda: it lies on the disk of the OS/);
  assert.match(refusals(vm, whole[1])[0] ?? '', /is not mounted/);
  const readOnly = facts(whole, { mounts: [{ ...mounted, options: ['ro'] }] });
  assert.match(refusals(readOnly, whole[1])[0] ?? '', /mounted read-only/);
  const swap = disk('sde', { signature: signature('swap', 's') });
  assert.match(refusals(facts([swap]), swap)[0] ?? '', /swap space does not grow/);
  const others = facts(whole, { mounts: [mounted] });
  assert.match(refusals(others, whole[1], noDetails, [])[0] ?? '', /not of Kannuki/);
  const random = { ...journal, keySource: 'random' } as Journal;
  assert.match(refusals(others, whole[1], noDetails, [random])[0] ?? '', /new random key at each boot/);
});

test('ext2 in the hands of the old driver is refused before any layer grows', () => {
  const vm = facts(whole, { mounts: [...healthyVm().mounts, mounted] });
  assert.deepEqual(refusals(vm, whole[1]), []);
  const details = { ...noDetails, withOldDriver: new Set(['dm-0']) };
  assert.match(refusals(vm, whole[1], details)[0] ?? '', /^REQ-255 .*old ext2 driver/);
});

test('a header that gives a fixed size, and a disk that is no whole number of its sectors, are refused', () => {
  const vm = facts(whole, { mounts: [mounted] });
  const fixed = { ...noDetails, segments: new Map([['dm-0', [{ ...crypt, size: 4096n }]]]) };
  assert.match(refusals(vm, whole[1], fixed)[0] ?? '', /fixed size/);
  const converting = { ...noDetails, segments: new Map([['dm-0', [crypt, crypt]]]) };
  assert.match(refusals(vm, whole[1], converting)[0] ?? '', /conversion is not over/);
  const odd = facts([{ ...whole[0], sizeBytes: gibibyte + 512 }, whole[1]], { mounts: [mounted] });
  assert.match(refusals(odd, whole[1])[0] ?? '', /no whole number of encrypted sectors of 4096 bytes/);
});

test('arrays: by level and by where the superblock is', () => {
  const array = formatted(
    device({ kernelName: 'md0', number: '9:0', type: 'raid1', parents: ['sdd', 'sde'] }),
    'ext4',
    'u-4',
  );
  const members = ['sdd', 'sde'].map((name) => disk(name, { children: ['md0'] }));
  const vm = facts([...members, array], { mounts: [mount({ number: '9:0', point: '/data1' })] });
  const withArray = (level: string, metadataVersion: string) =>
    refusals(vm, array, { ...noDetails, arrays: new Map([['md0', { level, metadataVersion }]]) });
  assert.deepEqual(withArray('raid1', '1.2'), []);
  assert.match(withArray('raid1', '1.0')[0] ?? '', /at the end of its disks/);
  assert.match(withArray('raid0', '1.2')[0] ?? '', /level raid0 does not grow/);
  assert.deepEqual(kindsOf(vm, array), ['disk sdd', 'disk sde', 'array md0', 'file-system md0']);
});

test('logical volumes that are more than a range of their group are refused', () => {
  const below = disk('sdd', { children: ['dm-1'], signature: signature('LVM2_member', 'p') });
  const volume = formatted(
    device({ kernelName: 'dm-1', number: '253:1', type: 'lvm', path: '/dev/mapper/data-one', parents: ['sdd'] }),
    'ext4',
    'u-5',
  );
  const vm = facts([below, volume], { mounts: [mount({ number: '253:1', point: '/data1' })] });
  const withVolume = (layout: string, hasSnapshots: boolean) => {
    const fact = { group: 'data', name: 'one', layout, hasSnapshots, freeBytes: 0 };
    return refusals(vm, volume, { ...noDetails, logicalVolumes: new Map([['dm-1', fact]]) });
  };
  assert.deepEqual(withVolume('linear', false), []);
  assert.equal(withVolume('thin,sparse', false).length, 1);
  assert.equal(withVolume('linear', true).length, 1);
});

test('a disk with several partitions: one has to be named', () => {
  const children = ['sdd1', 'sdd2'].map((name, index) =>
    formatted(device({ kernelName: name, number: `8:${49 + index}`, type: 'part', parents: ['sdd'] }), 'ext4', name),
  );
  const vm = facts([disk('sdd', { children: ['sdd1', 'sdd2'] }), ...children]);
  assert.match(
    refusals(
      vm,
      vm.devices.find(({ kernelName }) => kernelName === 'sdd'),
    )[0] ?? '',
    /several volumes lie on it/,
  );
});

function signature(type: string, uuid: string): NonNullable<BlockDevice['signature']> {
  return { usage: 'raid', type, version: null, uuid, label: null };
}
