import { describe } from 'node:test';
import type { BlockDevice, GuestFacts, VolumeGroupFact } from '../facts/model.ts';
import { type Case, testAccepted, testCases } from './testing/cases.ts';
import {
  dataDisk,
  dataPartition,
  device,
  formatted,
  healthyVm,
  line,
  mount,
  osDisk,
  rootLine,
  rootMount,
} from './testing/vm.ts';

const group: VolumeGroupFact = {
  name: 'data',
  uuid: 'v-g',
  missingCount: 0,
  isElsewhere: false,
};
const member: BlockDevice = {
  ...dataPartition,
  children: ['dm-0', 'dm-1'],
  signature: { usage: 'raid', type: 'LVM2_member', version: 'LVM2 001', uuid: 'p-v', label: null },
  fileSystem: null,
};
const logical = formatted(
  device({ kernelName: 'dm-0', number: '253:0', path: '/dev/mapper/data-one', type: 'lvm', parents: ['sdc1'] }),
  'xfs',
  'f-s',
);
const swap = device({
  kernelName: 'dm-1',
  number: '253:1',
  path: '/dev/mapper/data-swap',
  type: 'lvm',
  parents: ['sdc1'],
});
const place = mount({ number: '253:0', point: '/srv/one', source: '/dev/mapper/data-one', fileSystem: 'xfs' });
const placeLine = line(4, { source: '/dev/mapper/data-one', point: '/srv/one', fileSystem: 'xfs', device: 'dm-0' });
const swapLine = line(5, {
  source: '/dev/mapper/data-swap',
  point: 'none',
  fileSystem: 'swap',
  options: ['sw', 'nofail'],
  device: 'dm-1',
});

/** A VM with a group on sdc1, one of its volumes mounted and one swapped to. */
function vm(changes: Partial<VolumeGroupFact> = {}, more: Partial<GuestFacts> = {}): Partial<GuestFacts> {
  return {
    devices: [
      osDisk,
      ...healthyVm().devices.filter(({ kernelName }) => /^sda\d/.test(kernelName)),
      dataDisk,
      member,
      logical,
      swap,
    ],
    physicalVolumes: [{ device: 'sdc1', uuid: 'p-v', isDuplicate: false, group: { ...group, ...changes } }],
    mounts: [rootMount, place],
    fstab: [rootLine, placeLine, swapLine],
    ...more,
  };
}

function refused(what: string, facts: Partial<GuestFacts>, says: RegExp, more: Partial<Case> = {}): Case {
  return { what, facts, rule: 'REQ-090', subject: '/dev/sdc1', says, ...more };
}

const { devices = [] } = vm();
const withDevice = (one: BlockDevice, parent: BlockDevice): Partial<GuestFacts> =>
  vm(
    {},
    {
      devices: [
        ...devices.filter(({ kernelName }) => kernelName !== parent.kernelName),
        { ...parent, children: [one.kernelName] },
        one,
      ],
    },
  );

describe('the group of a physical volume', () => {
  testCases([
    refused('of no group', vm({}, { physicalVolumes: [] }), /belongs to no volume group/),
    refused(
      'with a member that is missing',
      vm({ missingCount: 1 }),
      /1 physical volumes of the volume group data are missing/,
    ),
    refused('exported or shared', vm({ isElsewhere: true }), /exported or shared/),
    refused(
      'seen twice',
      vm({}, { physicalVolumes: vm().physicalVolumes?.map((one) => ({ ...one, isDuplicate: true })) ?? [] }),
      /copy or a snapshot/,
    ),
    refused(
      'an encrypted logical volume in it',
      withDevice(device({ kernelName: 'dm-2', number: '253:2', type: 'crypt', parents: ['dm-1'] }), swap),
      /encryption above and below LVM are not mixed/,
      { rule: 'REQ-254' },
    ),
    refused(
      'an array of its logical volumes',
      withDevice(device({ kernelName: 'md0', number: '9:0', type: 'raid1', parents: ['dm-1'] }), swap),
      /\/dev\/md0 lies on a logical volume of data/,
    ),
    refused('of the OS', vm({}, { mounts: [mount({ number: '253:0', point: '/' })] }), /holds volumes of the OS/),
    refused('that LVM knows by its devices file', vm({}, { lvmUsesDevicesFile: true }), /devices file/),
    refused(
      'on a disk without a lasting name',
      vm({}, { devices: devices.map((one) => (one === member ? { ...one, links: [] } : one)) }),
      /no name below \/dev\/disk/,
      { rule: 'REQ-043' },
    ),
    refused(
      'a mount without nofail',
      vm(
        {},
        {
          fstab: [rootLine, { ...placeLine, entry: placeLine.entry && { ...placeLine.entry, options: ['defaults'] } }],
        },
      ),
      /has no nofail/,
      { rule: 'REQ-042', subject: '/etc/fstab:4' },
    ),
    refused(
      'swap without nofail',
      vm(
        {},
        {
          fstab: [
            rootLine,
            placeLine,
            { ...swapLine, entry: swapLine.entry && { ...swapLine.entry, options: ['sw'] } },
          ],
        },
      ),
      /swap space of the group has no nofail/,
      { rule: 'REQ-042', subject: '/etc/fstab:5' },
    ),
  ]);
  testAccepted({ 'a group with a mount and swap': vm() });
});
