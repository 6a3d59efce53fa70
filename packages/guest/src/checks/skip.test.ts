import { type Case, mebibyte, testAccepted, testCases, withData, withLine } from './testing/cases.ts';
import { dataDisk, dataPartition, dataUuid, device, osDisk, osPartition, rootMount } from './testing/vm.ts';

testCases([
  // REQ-090
  {
    what: 'the OS volume',
    facts: {},
    options: { kernelName: 'sda1' },
    rule: 'REQ-090',
    subject: '/',
    says: /is the OS volume/,
  },
  {
    what: 'a partition on the OS disk',
    facts: {
      devices: [
        { ...osDisk, children: ['sda1', 'sda15', 'sda2'] },
        osPartition,
        dataDisk,
        { ...dataPartition, parents: ['sda'] },
      ],
    },
    rule: 'REQ-090',
    subject: '/data0',
    says: /lies on the OS disk/,
  },
  {
    what: 'the resource disk',
    facts: withData({ links: ['/dev/disk/azure/resource-part1', '/dev/disk/by-id/x-part1'] }),
    rule: 'REQ-090',
    subject: '/data0',
    says: /resource disk/,
  },
  {
    what: 'swap',
    facts: withData({
      signature: { usage: 'other', type: 'swap', version: '1', uuid: 'u', label: null },
      fileSystem: null,
    }),
    rule: 'REQ-090',
    subject: '/data0',
    says: /is swap space/,
  },
  {
    what: 'a physical volume of LVM',
    facts: withData({
      signature: { usage: 'raid', type: 'LVM2_member', version: 'LVM2 001', uuid: 'u', label: null },
      fileSystem: null,
    }),
    rule: 'REQ-090',
    subject: '/dev/sdc1',
    says: /belongs to no volume group/,
  },
  {
    what: 'a member of a RAID array',
    facts: withData(
      {
        children: ['md0'],
        signature: { usage: 'raid', type: 'linux_raid_member', version: '1.2', uuid: 'u', label: null },
        fileSystem: null,
      },
      device({ kernelName: 'md0', number: '9:0', type: 'raid1', parents: ['sdc1'] }),
    ),
    rule: 'REQ-090',
    subject: '/data0',
    says: /member of a RAID array below \/dev\/md0/,
  },
  {
    what: 'a disk with partitions',
    facts: { mounts: [rootMount], fstab: [] },
    options: { kernelName: 'sdc' },
    rule: 'REQ-090',
    subject: '/dev/sdc',
    says: /other devices on it: \/dev\/sdc1/,
  },
  {
    what: 'a loop device',
    facts: withData({ type: 'loop' }),
    rule: 'REQ-090',
    subject: '/data0',
    says: /of type loop/,
  },
  {
    what: 'no file system',
    facts: withData({ signature: null, fileSystem: null }),
    rule: 'REQ-090',
    subject: '/data0',
    says: /has no file system/,
  },
  {
    what: 'several signatures',
    facts: withData({
      signature: { usage: 'ambiguous', type: '', version: null, uuid: null, label: null },
      fileSystem: null,
    }),
    rule: 'REQ-090',
    subject: '/data0',
    says: /wipefs --no-act/,
  },
  {
    what: 'no UUID',
    facts: withData({ signature: { usage: 'filesystem', type: 'ext4', version: null, uuid: null, label: null } }),
    rule: 'REQ-090',
    subject: '/data0',
    says: /has no UUID/,
  },
  {
    what: 'under 150 MiB',
    facts: withData({ sizeBytes: 150 * mebibyte - 1 }),
    rule: 'REQ-090',
    subject: '/data0',
    says: /149 MiB; volumes under 150 MiB/,
  },
  {
    what: 'a read-only device',
    facts: withData({ readOnly: true }),
    rule: 'REQ-090',
    subject: '/data0',
    says: /device \/dev\/sdc1 is read-only/,
  },
  {
    what: 'encrypted by someone else',
    facts: withData({ type: 'crypt', kernelName: 'sdc1' }),
    rule: 'REQ-090',
    subject: '/data0',
    says: /is encrypted already/,
  },
  {
    what: 'named in crypttab',
    facts: {
      crypttab: [{ lineNumber: 3, mapper: 'old', device: '/dev/disk/by-id/scsi-360022480abcdef-part1', options: [] }],
    },
    rule: 'REQ-090',
    subject: '/data0',
    says: /\/etc\/crypttab:3/,
  },
  // REQ-091
  ...['bcachefs', 'vfat', 'ntfs', 'f2fs'].map(
    (type): Case => ({
      what: type,
      facts: {
        ...withData({
          signature: { usage: 'filesystem', type, version: null, uuid: dataUuid, label: null },
          fileSystem: null,
        }),
        ...withLine({ fileSystem: type }),
      },
      rule: 'REQ-091',
      subject: '/data0',
      says: new RegExp(`holds ${type}; this version encrypts ext2, ext3, ext4, XFS and btrfs`),
    }),
  ),
  {
    what: 'btrfs over several devices',
    facts: withData({
      signature: { usage: 'filesystem', type: 'btrfs', version: null, uuid: dataUuid, label: null },
      fileSystem: { blockBytes: 4096, sectorBytes: 4096, hasOtherDevices: true },
    }),
    rule: 'REQ-091',
    subject: '/data0',
    says: /one of several devices of a btrfs.*btrfs replace start/,
  },
  {
    what: 'a journal on another device',
    facts: withData({ fileSystem: { blockBytes: 4096, sectorBytes: 4096, hasOtherDevices: true } }),
    rule: 'REQ-091',
    subject: '/data0',
    says: /journal, log or real-time data on another device/,
  },
]);

testAccepted({
  'XFS in place': {
    ...withData({ signature: { usage: 'filesystem', type: 'xfs', version: null, uuid: dataUuid, label: null } }),
    ...withLine({ fileSystem: 'xfs' }),
  },
  'btrfs in place': {
    ...withData({ signature: { usage: 'filesystem', type: 'btrfs', version: null, uuid: dataUuid, label: null } }),
    ...withLine({ fileSystem: 'btrfs' }),
  },
  'just 150 MiB': withData({ sizeBytes: 150 * mebibyte }),
});
