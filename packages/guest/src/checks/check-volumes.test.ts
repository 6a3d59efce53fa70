import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Finding, isRefused, type Severity } from '@kannuki/core';
import type { BlockDevice, FstabEntry, FstabFact, GuestFacts } from '../facts/model.ts';
import { volumeOf } from '../targets/targets.ts';
import { checkVolumes } from './check-volumes.ts';
import {
  dataDisk,
  dataLine,
  dataMount,
  dataPartition,
  dataUuid,
  device,
  formatted,
  gibibyte,
  healthyVm,
  line,
  mount,
  openFile,
  osDisk,
  osPartition,
  rootLine,
  rootMount,
} from './testing/vm.ts';

const mebibyte = 1024 * 1024;

/** Checks /data0 (the device sdc1) as if it had been named on the command line. */
function check(facts: GuestFacts, options: { stopServices?: boolean; kernelName?: string } = {}): readonly Finding[] {
  const named = facts.devices.find(({ kernelName }) => kernelName === (options.kernelName ?? 'sdc1'));
  assert.ok(named);
  return checkVolumes(facts, {
    volumes: [volumeOf(facts, named)],
    named: true,
    stopServices: options.stopServices ?? false,
  });
}

test('nothing stands in the way of a healthy volume', () => {
  assert.deepEqual(check(healthyVm()), []);
});

/** What is wrong with the VM, and the one finding that has to come of it. */
interface Case {
  readonly what: string;
  readonly facts: Partial<GuestFacts>;
  readonly rule: string;
  readonly severity?: Severity;
  readonly subject: string;
  /** Has to be in the English message or remedy. */
  readonly says: RegExp;
  readonly options?: { stopServices?: boolean; kernelName?: string };
}

function withData(changes: Partial<BlockDevice>, ...others: readonly BlockDevice[]): Pick<GuestFacts, 'devices'> {
  const { devices } = healthyVm();
  return { devices: [...devices.map((one) => (one === dataPartition ? { ...one, ...changes } : one)), ...others] };
}

function withLine(entry: Partial<FstabEntry>): Pick<GuestFacts, 'fstab'> {
  return { fstab: [rootLine, line(4, { source: `UUID=${dataUuid}`, point: '/data0', device: 'sdc1', ...entry })] };
}

function withMounts(...more: GuestFacts['mounts']): Pick<GuestFacts, 'mounts'> {
  return { mounts: [...healthyVm().mounts, ...more] };
}

const modules = (dmCrypt: 'loaded' | 'missing', vfat: 'loaded' | 'missing'): Pick<GuestFacts, 'modules'> => ({
  modules: [
    { name: 'dm_crypt', state: dmCrypt, blockedBy: null },
    { name: 'vfat', state: vfat, blockedBy: null },
  ],
});

const space = (path: string, changes: object): Pick<GuestFacts, 'spaces'> => ({
  spaces: healthyVm().spaces.map((one) => (one.path === path ? { ...one, ...changes } : one)),
});

const postgres = { name: 'postgresql@15-main.service', fileState: 'enabled', canBeStopped: true, triggeredBy: [] };
const session = { name: 'session-3.scope', fileState: 'transient', canBeStopped: false, triggeredBy: [] };
const secondDisk = formatted(device({ kernelName: 'sdd', number: '8:48' }), 'ext4', 'ddd');

const cases: readonly Case[] = [
  // REQ-038, REQ-102
  {
    what: 'no dm-crypt',
    facts: modules('missing', 'loaded'),
    rule: 'REQ-038',
    subject: 'dm-crypt',
    says: /module dm-crypt/,
  },
  { what: 'no vfat', facts: modules('loaded', 'missing'), rule: 'REQ-038', subject: 'vfat', says: /module vfat/ },
  // REQ-040
  {
    what: 'vfat blacklisted, though loaded now',
    facts: {
      modules: [
        { name: 'dm_crypt', state: 'loaded', blockedBy: null },
        { name: 'vfat', state: 'loaded', blockedBy: '/etc/modprobe.d/cis.conf: install vfat /bin/false' },
      ],
    },
    rule: 'REQ-040',
    subject: 'vfat',
    says: /cis\.conf: install vfat/,
  },
  ...['/var', '/usr', '/home', '/opt', '/tmp', '/var/log/audit'].map(
    (point): Case => ({
      what: `${point} on a data disk`,
      facts: {
        devices: [...healthyVm().devices, secondDisk],
        ...withMounts(mount({ number: '8:48', point, source: '/dev/sdd' })),
      },
      rule: 'REQ-040',
      subject: point,
      says: /on the data disk \/dev\/sdd/,
    }),
  ),
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
  {
    what: 'a clone with the same UUID',
    facts: withData({}, formatted(device({ kernelName: 'sde1', number: '8:65', type: 'part' }), 'ext4', dataUuid)),
    rule: 'REQ-043',
    subject: '/data0',
    says: /\/dev\/sde1 has the same file system UUID/,
  },
  {
    what: 'no lasting name',
    facts: withData({ links: [`/dev/disk/by-uuid/${dataUuid}`], serial: null }),
    rule: 'REQ-043',
    severity: 'warn',
    subject: '/data0',
    says: /has no name below/,
  },
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
  // REQ-047, REQ-089
  {
    what: 'in fstab, not mounted',
    facts: { mounts: [rootMount] },
    rule: 'REQ-047',
    subject: '/dev/sdc1',
    says: /not mounted at \/data0/,
  },
  {
    what: 'not mounted',
    facts: { mounts: [rootMount], fstab: [rootLine] },
    rule: 'REQ-089',
    subject: '/dev/sdc1',
    says: /only mounted volumes/,
  },
  // REQ-050, REQ-051
  {
    what: 'a service has files open',
    facts: {
      openFiles: [openFile(812, 'postgres', { unit: postgres }), openFile(813, 'postgres', { unit: postgres })],
    },
    rule: 'REQ-050',
    subject: '/data0',
    says: /postgresql@15-main\.service \(enabled: starts at boot\).*812 \(postgres\), 813 \(postgres\)/,
  },
  {
    what: 'a service has files open and may be stopped',
    facts: { openFiles: [openFile(812, 'postgres', { unit: postgres })] },
    options: { stopServices: true },
    rule: 'REQ-050',
    severity: 'note',
    subject: '/data0',
    says: /started again/,
  },
  {
    what: 'a shell stands in the volume, whatever may be stopped',
    facts: { openFiles: [openFile(99, 'bash', { unit: session })] },
    options: { stopServices: true },
    rule: 'REQ-051',
    subject: '/data0',
    says: /session-3\.scope .*99 \(bash\)/,
  },
  {
    what: 'a process without a unit',
    facts: { openFiles: [openFile(7, 'tail')] },
    rule: 'REQ-051',
    subject: '/data0',
    says: /process 7 \(tail\).*\/data0\/file/,
  },
  {
    what: 'processes that cannot be looked into',
    facts: { hiddenProcesses: [1] },
    rule: 'REQ-051',
    severity: 'note',
    subject: '/data0',
    says: /hides the open files of 1/,
  },
  {
    what: 'a swap file on the volume',
    facts: { swaps: [{ path: '/data0/swap', kind: 'file' }] },
    rule: 'REQ-051',
    subject: '/data0',
    says: /swapoff \/data0\/swap/,
  },
  {
    what: 'a loop device on the volume',
    facts: { loops: [{ kernelName: 'loop3', file: '/data0/disk.img' }] },
    rule: 'REQ-051',
    subject: '/data0',
    says: /losetup --detach \/dev\/loop3/,
  },
  {
    what: 'a bind mount',
    facts: withMounts(mount({ number: '8:33', point: '/srv/x', root: '/x' })),
    rule: 'REQ-051',
    subject: '/data0',
    says: /mounted at \/srv\/x too/,
  },
  {
    what: 'something mounted over it',
    facts: withMounts(mount({ number: '0:50', point: '/data0', fileSystem: 'tmpfs' })),
    rule: 'REQ-051',
    subject: '/data0',
    says: /another mount \(tmpfs\)/,
  },
  {
    what: 'a container holds it',
    facts: { foreignMounts: [{ number: '8:33', point: '/mnt', pid: 4711, command: 'java' }] },
    rule: 'REQ-051',
    subject: '/data0',
    says: /process 4711 \(java\) holds/,
  },
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
    subject: '/data0',
    says: /physical volume of LVM/,
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
  ...['btrfs', 'vfat', 'ntfs', 'f2fs'].map(
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
      says: new RegExp(`holds ${type}; this version encrypts ext2, ext3, ext4 and XFS`),
    }),
  ),
  {
    what: 'a journal on another device',
    facts: withData({ fileSystem: { blockBytes: 4096, sectorBytes: 4096, hasOtherDevices: true } }),
    rule: 'REQ-091',
    subject: '/data0',
    says: /journal, log or real-time data on another device/,
  },
  // REQ-092
  {
    what: 'a mount below',
    facts: withMounts(mount({ number: '0:50', point: '/data0/deep/er', fileSystem: 'tmpfs' })),
    rule: 'REQ-092',
    subject: '/data0',
    says: /\/data0\/deep\/er is mounted below \/data0/,
  },
  {
    what: 'a line of fstab below',
    facts: { fstab: [rootLine, dataLine, line(5, { source: 'LABEL=x', point: '/data0/2', device: null })] },
    rule: 'REQ-092',
    subject: '/data0',
    says: /\/data0\/2 is mounted below/,
  },
  {
    what: 'below another data volume',
    facts: {
      devices: [...healthyVm().devices, secondDisk],
      mounts: [rootMount, mount({ number: '8:48', point: '/1/data' }), { ...dataMount, point: '/1/data/2' }],
      ...withLine({ point: '/1/data/2', realPoint: '/1/data/2' }),
    },
    rule: 'REQ-092',
    subject: '/1/data/2',
    says: /lies below \/1\/data/,
  },
  // Space, memory, cryptsetup
  {
    what: 'full /var',
    facts: space('/var/lib/kannuki', { freeBytes: 63 * mebibyte }),
    rule: 'REQ-096',
    subject: '/var/lib/kannuki',
    says: /64 MiB .*free are 63 MiB/,
  },
  {
    what: 'no inodes in /var',
    facts: space('/var/lib/kannuki', { freeInodes: 1 }),
    rule: 'REQ-096',
    subject: '/var/lib/kannuki',
    says: /4 inodes/,
  },
  {
    what: 'read-only /var',
    facts: space('/var/lib/kannuki', { readOnly: true }),
    rule: 'REQ-096',
    subject: '/var/lib/kannuki',
    says: /is read-only/,
  },
  {
    what: 'full /boot',
    facts: space('/boot', { freeBytes: 2 * mebibyte }),
    rule: 'REQ-053',
    subject: '/boot',
    says: /2 MiB free/,
  },
  {
    what: 'tight /boot',
    facts: space('/boot', { freeBytes: 40 * mebibyte }),
    rule: 'REQ-053',
    severity: 'warn',
    subject: '/boot',
    says: /40 MiB free/,
  },
  {
    what: 'too little memory',
    facts: { memory: { totalBytes: gibibyte, availableBytes: 127 * mebibyte } },
    rule: 'REQ-020',
    subject: 'memory',
    says: /128 MiB .*127 MiB/,
  },
  {
    what: 'little memory',
    facts: { memory: { totalBytes: 511 * mebibyte, availableBytes: 300 * mebibyte } },
    rule: 'REQ-020',
    severity: 'warn',
    subject: 'memory',
    says: /only 511 MiB/,
  },
  { what: 'no cryptsetup', facts: { cryptsetup: null }, rule: 'REQ-258', subject: 'cryptsetup', says: /not installed/ },
  {
    what: 'an unknown cryptsetup',
    facts: { cryptsetup: { version: null, packageVersion: null } },
    rule: 'REQ-258',
    subject: 'cryptsetup',
    says: /nobody knows/,
  },
  ...(
    [
      [2, 3, 7],
      [2, 7, 0],
      [2, 7, 4],
    ] as const
  ).map(
    (version): Case => ({
      what: `cryptsetup ${version.join('.')}`,
      facts: { cryptsetup: { version, packageVersion: `${version.join('.')}-1` } },
      rule: 'REQ-258',
      subject: 'cryptsetup',
      says: /cryptsetup 2\./,
    }),
  ),
];

describe('each thing that is wrong has its finding', () => {
  for (const { what, facts, rule, severity = 'refuse', subject, says, options } of cases) {
    test(`${rule}: ${what}`, () => {
      const findings = check(healthyVm(facts), options);
      const found = findings.filter(
        (finding) =>
          finding.rule === rule &&
          finding.severity === severity &&
          says.test(`${finding.message.en}; ${finding.remedy.en}`),
      );
      assert.deepEqual(
        found.map((finding) => finding.subject),
        [subject],
        JSON.stringify(findings, null, 2),
      );
      assert.equal(
        isRefused(findings),
        findings.some((finding) => finding.severity === 'refuse'),
      );
      if (severity !== 'refuse') assert.ok(!isRefused(findings), `refused: ${JSON.stringify(findings)}`);
    });
  }

  test('every finding speaks both languages and has a remedy', () => {
    for (const { facts, options } of cases) {
      for (const { rule, message, remedy } of check(healthyVm(facts), options)) {
        assert.match(rule, /^REQ-\d{3}$/);
        for (const text of [message.en, remedy.en]) assert.match(text, /[a-z]/);
        for (const text of [message.ja, remedy.ja])
          assert.match(text, /[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]/u);
        for (const text of [message.en, remedy.en, message.ja, remedy.ja])
          assert.doesNotMatch(text, /undefined|null|NaN/);
      }
    }
  });
});

describe('what is right is not complained of', () => {
  const accepted: Readonly<Record<string, Partial<GuestFacts>>> = {
    'fstab by label': withLine({ source: 'LABEL=data' }),
    'fstab by PARTUUID': withLine({ source: 'PARTUUID=11111111-2222-3333-4444-555555555555' }),
    'fstab by a link': withLine({ source: '/dev/disk/azure/scsi1/lun0-part1' }),
    'fstab with type auto': withLine({ fileSystem: 'auto' }),
    'XFS in place': {
      ...withData({ signature: { usage: 'filesystem', type: 'xfs', version: null, uuid: dataUuid, label: null } }),
      ...withLine({ fileSystem: 'xfs' }),
    },
    'just 150 MiB': withData({ sizeBytes: 150 * mebibyte }),
    'an application folder below /var/lib': {
      mounts: [rootMount, { ...dataMount, point: '/var/lib/postgresql' }],
      ...withLine({ point: '/var/lib/postgresql', realPoint: '/var/lib/postgresql' }),
    },
    'vfat in the kernel, whatever modprobe says': {
      modules: [
        { name: 'dm_crypt', state: 'built-in', blockedBy: null },
        { name: 'vfat', state: 'built-in', blockedBy: '/etc/modprobe.d/x.conf: blacklist vfat' },
      ],
    },
    'cryptsetup 2.7.5': { cryptsetup: { version: [2, 7, 5], packageVersion: '2:2.7.5-2' } },
    'cryptsetup 2.7.2 of RHEL 9 with the fix': {
      cryptsetup: { version: [2, 7, 2], packageVersion: '2.7.2-3.el9_5.1' },
    },
    'inodes without a fixed number': space('/var/lib/kannuki', { freeInodes: null }),
    'open files elsewhere': { openFiles: [openFile(5, 'x', { number: '8:1' })] },
    'a mirror below shows the same UUID': withData(
      { type: 'raid1', parents: ['sdd'] },
      { ...formatted(device({ kernelName: 'sdd', number: '8:48' }), 'ext4', dataUuid), children: ['sdc1'] },
    ),
    'a machine whose root is no disk': {
      devices: [dataDisk, dataPartition],
      mounts: [mount({ number: '0:20', point: '/' }), dataMount],
    },
  };
  for (const [what, facts] of Object.entries(accepted)) {
    test(what, () => assert.deepEqual(check(healthyVm(facts)), []));
  }

  test('cryptsetup 2.7.2-1 of RHEL 9 has not the fix', () => {
    const findings = check(healthyVm({ cryptsetup: { version: [2, 7, 2], packageVersion: '2.7.2-1.el9' } }));
    assert.deepEqual(
      findings.map(({ rule }) => rule),
      ['REQ-258'],
    );
  });
});

test('all findings are listed, not the first', () => {
  const bad: FstabFact = line(4, {
    source: '/dev/sdc1',
    point: '/data0',
    device: 'sdc1',
    options: ['defaults'],
    fileSystem: 'xfs',
  });
  const findings = check(
    healthyVm({
      ...modules('missing', 'missing'),
      fstab: [rootLine, bad],
      openFiles: [openFile(7, 'tail'), openFile(8, 'tail')],
      cryptsetup: null,
    }),
  );
  assert.deepEqual(findings.map(({ rule }) => rule).sort(), [
    'REQ-038',
    'REQ-038',
    'REQ-042',
    'REQ-043',
    'REQ-044',
    'REQ-051',
    'REQ-051',
    'REQ-258',
  ]);
});

describe('all volumes of a type: what cannot be encrypted is skipped with its reason (REQ-090)', () => {
  const request = { named: false, stopServices: false };

  test('an empty disk is a note, a mounted btrfs a warning, and neither refuses the others', () => {
    const btrfs = formatted(device({ kernelName: 'sdd', number: '8:48' }), 'btrfs', 'bbb');
    const empty = device({ kernelName: 'sde', number: '8:64' });
    const facts = healthyVm({
      devices: [...healthyVm().devices, btrfs, empty],
      ...withMounts(mount({ number: '0:61', point: '/data1', fileSystem: 'btrfs', source: '/dev/sdd' })),
    });
    const volumes = [dataPartition, btrfs, empty].map((one) => volumeOf(facts, one));
    const findings = checkVolumes(facts, { ...request, volumes });
    assert.deepEqual(
      findings.map(({ rule, severity, subject }) => [rule, severity, subject]),
      [
        ['REQ-091', 'warn', '/data1'],
        ['REQ-090', 'note', '/dev/sde'],
      ],
    );
  });

  test('what fstab should have mounted and has not is a refusal (REQ-047)', () => {
    const facts = healthyVm({ mounts: [rootMount] });
    const findings = checkVolumes(facts, { ...request, volumes: [volumeOf(facts, dataPartition)] });
    assert.deepEqual(
      findings.map(({ rule, severity }) => [rule, severity]),
      [['REQ-047', 'refuse']],
    );
  });

  test('room for headers is counted for all volumes together', () => {
    const other = formatted(
      device({ kernelName: 'sdd', number: '8:48', links: ['/dev/disk/by-id/scsi-2'] }),
      'ext4',
      'ddd',
    );
    const facts = healthyVm({
      devices: [...healthyVm().devices, other],
      ...withMounts(mount({ number: '8:48', point: '/data1' })),
      fstab: [rootLine, dataLine, line(5, { source: 'UUID=ddd', point: '/data1', device: 'sdd' })],
      ...space('/var/lib/kannuki', { freeBytes: 80 * mebibyte }),
    });
    const findings = checkVolumes(facts, {
      ...request,
      volumes: [dataPartition, other].map((one) => volumeOf(facts, one)),
    });
    assert.deepEqual(
      findings.map(({ rule }) => rule),
      ['REQ-096'],
    );
    assert.match(findings[0]?.message.en ?? '', /96 MiB/);
  });
});
