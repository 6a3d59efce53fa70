import { type Case, testAccepted, testCases, withLine } from './testing/cases.ts';
import {
  dataLine,
  dataMount,
  dataUuid,
  device,
  formatted,
  healthyVm,
  line,
  rootLine,
  rootMount,
} from './testing/vm.ts';

const secondDisk = formatted(device({ kernelName: 'sdd', number: '8:48' }), 'ext4', 'ddd');

testCases([
  // REQ-041
  {
    what: 'not in fstab',
    facts: { fstab: [rootLine] },
    rule: 'REQ-041',
    subject: '/data0',
    says: new RegExp(`UUID=${dataUuid} /data0 ext4`),
  },
  // REQ-042
  {
    what: 'no nofail',
    facts: withLine({ options: ['defaults'] }),
    rule: 'REQ-042',
    subject: '/etc/fstab:4',
    says: /defaults,nofail/,
  },
  {
    what: 'nobootwait is no nofail for systemd (REQ-099)',
    facts: withLine({ options: ['defaults', 'nobootwait'] }),
    rule: 'REQ-042',
    subject: '/etc/fstab:4',
    says: /nobootwait,nofail/,
  },
  // REQ-043
  ...['/dev/sdc1', '/dev/vdb', '/dev/nvme0n2p1', '/dev/xvdf', '/dev/md127', '/dev/dm-3'].map(
    (source): Case => ({
      what: `fstab says ${source}`,
      facts: withLine({ source }),
      rule: 'REQ-043',
      subject: '/etc/fstab:4',
      says: new RegExp(`write UUID=${dataUuid} in place of ${source}`),
    }),
  ),

  // REQ-044
  {
    what: 'four fields',
    facts: withLine({ fieldCount: 4 }),
    rule: 'REQ-044',
    severity: 'warn',
    subject: '/etc/fstab:4',
    says: /4 of six fields/,
  },
  {
    what: 'another type',
    facts: withLine({ fileSystem: 'xfs' }),
    rule: 'REQ-044',
    subject: '/etc/fstab:4',
    says: /says xfs and \/dev\/sdc1 holds ext4/,
  },
  {
    what: 'a sister type',
    facts: withLine({ fileSystem: 'ext3' }),
    rule: 'REQ-044',
    severity: 'warn',
    subject: '/etc/fstab:4',
    says: /says ext3/,
  },
  {
    what: 'no mount point',
    facts: withLine({ pointExists: false }),
    rule: 'REQ-044',
    subject: '/etc/fstab:4',
    says: /\/data0 does not exist/,
  },
  ...['noauto', 'x-systemd.automount', '_netdev'].map(
    (option): Case => ({
      what: `option ${option}`,
      facts: withLine({ options: ['defaults', 'nofail', option] }),
      rule: 'REQ-044',
      subject: '/etc/fstab:4',
      says: new RegExp(`take ${option} out`),
    }),
  ),
  {
    what: 'a line that is no entry',
    facts: { fstab: [rootLine, { lineNumber: 3, line: 'only two', entry: null }, dataLine] },
    rule: 'REQ-044',
    severity: 'warn',
    subject: '/etc/fstab:3',
    says: /only two/,
  },
  {
    what: 'two lines for one mount point',
    facts: { fstab: [rootLine, dataLine, line(9, { source: 'LABEL=other', point: '/data0', device: null })] },
    rule: 'REQ-044',
    subject: '/etc/fstab:4',
    says: /\/etc\/fstab:9 is for the same/,
  },
  {
    what: 'mounted read-only',
    facts: { mounts: [rootMount, { ...dataMount, options: ['rw', 'ro'] }] },
    rule: 'REQ-044',
    subject: '/data0',
    says: /mounted read-only/,
  },
  // REQ-045
  {
    what: 'fstab says another place',
    facts: withLine({ point: '/data9', realPoint: '/data9' }),
    rule: 'REQ-045',
    subject: '/etc/fstab:4',
    says: /says \/data9, and the volume is mounted at \/data0/,
  },
  {
    what: 'fstab names another device',
    facts: { devices: [...healthyVm().devices, secondDisk], ...withLine({ source: 'UUID=ddd', device: 'sdd' }) },
    rule: 'REQ-045',
    subject: '/etc/fstab:4',
    says: /UUID=ddd names \/dev\/sdd/,
  },
  {
    what: 'fstab names no device',
    facts: withLine({ source: 'UUID=eee', device: null }),
    rule: 'REQ-045',
    subject: '/etc/fstab:4',
    says: /names no device/,
  },
]);

testAccepted({
  'fstab by label': withLine({ source: 'LABEL=data' }),
  'fstab by PARTUUID': withLine({ source: 'PARTUUID=11111111-2222-3333-4444-555555555555' }),
  'fstab by a link': withLine({ source: '/dev/disk/azure/scsi1/lun0-part1' }),
  'fstab with type auto': withLine({ fileSystem: 'auto' }),
});
