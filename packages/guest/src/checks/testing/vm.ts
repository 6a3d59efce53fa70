import type {
  BlockDevice,
  FstabEntry,
  FstabFact,
  GuestFacts,
  MountFact,
  OpenFileUser,
  Volume,
} from '../../facts/model.ts';

/** Facts for tests of checks: a VM where nothing stands in the way of encrypting /data0, to be spoiled one thing at a time. */
export function healthyVm(changes: Partial<GuestFacts> = {}): GuestFacts {
  return {
    operatingSystem: { id: 'debian', versionId: '12', prettyName: 'Debian GNU/Linux 12 (bookworm)' },
    memory: { totalBytes: 4 * gibibyte, availableBytes: 3 * gibibyte },
    physicalVolumes: [],
    lvmUsesDevicesFile: false,
    devices: [osDisk, osPartition, bootPartition, dataDisk, dataPartition],
    mounts: [rootMount, bootMount, dataMount],
    foreignMounts: [],
    swaps: [],
    loops: [],
    fstab: [rootLine, dataLine],
    crypttab: [],
    modules: [
      { name: 'dm_crypt', state: 'loadable', blockedBy: null },
      { name: 'vfat', state: 'loaded', blockedBy: null },
    ],
    spaces: [
      { path: '/var/lib/kannuki', freeBytes: 2 * gibibyte, freeInodes: 100_000, readOnly: false },
      { path: '/boot', freeBytes: gibibyte, freeInodes: 100_000, readOnly: false },
    ],
    cryptsetup: { version: [2, 6, 1], packageVersion: '2:2.6.1-4~deb12u2' },
    openFiles: [],
    hiddenProcesses: [],
    ...changes,
  };
}

export const gibibyte = 1024 ** 3;
export const dataUuid = '6a1f0c52-4a7e-4c1d-9d0e-5a4d3c2b1a00';

export function device(changes: Partial<BlockDevice> & Pick<BlockDevice, 'kernelName' | 'number'>): BlockDevice {
  return {
    path: `/dev/${changes.kernelName}`,
    type: 'disk',
    sizeBytes: 32 * gibibyte,
    readOnly: false,
    removable: false,
    parents: [],
    children: [],
    logicalSectorBytes: 512,
    physicalSectorBytes: 4096,
    discardBytes: 4096,
    serial: null,
    model: null,
    partitionUuid: null,
    partitionLabel: null,
    partitionType: null,
    links: [],
    signature: null,
    fileSystem: null,
    ...changes,
  };
}

/** Adds a file system to a device; only ext, XFS and btrfs have facts of their own. */
export function formatted(one: BlockDevice, type: string, uuid: string | null): BlockDevice {
  const known = ['ext2', 'ext3', 'ext4', 'xfs', 'btrfs'].includes(type);
  return {
    ...one,
    signature: { usage: 'filesystem', type, version: null, uuid, label: null },
    fileSystem: known ? { blockBytes: 4096, sectorBytes: 4096, hasOtherDevices: false } : null,
  };
}

export function mount(changes: Partial<MountFact> & Pick<MountFact, 'number' | 'point'>): MountFact {
  return {
    id: 100,
    parentId: 1,
    root: '/',
    options: ['rw', 'relatime'],
    fileSystem: 'ext4',
    source: '/dev/somewhere',
    sharedGroup: 1,
    masterGroup: null,
    ...changes,
  };
}

/** A line of fstab from its entry: what it would be as text, unless that is given. */
export function line(
  lineNumber: number,
  entry: Pick<FstabEntry, 'source' | 'point' | 'device'> & Partial<FstabEntry>,
): FstabFact {
  const { source, point, fileSystem = 'ext4', options = ['defaults', 'nofail'], dump = 0, pass = 2 } = entry;
  return {
    lineNumber,
    line: [source, point, fileSystem, options.join(','), dump, pass].join(' '),
    entry: { fileSystem, options, dump, pass, fieldCount: 6, realPoint: point, pointExists: true, ...entry },
  };
}

export function openFile(pid: number, command: string, changes: Partial<OpenFileUser> = {}): OpenFileUser {
  return { number: dataPartition.number, pid, command, unit: null, paths: ['/data0/file'], ...changes };
}

export const osDisk = device({ kernelName: 'sda', number: '8:0', children: ['sda1', 'sda15'] });
export const osPartition = formatted(
  device({ kernelName: 'sda1', number: '8:1', type: 'part', parents: ['sda'] }),
  'ext4',
  '0aa2c8b7-0000-4000-8000-000000000001',
);
export const bootPartition = formatted(
  device({ kernelName: 'sda15', number: '8:15', type: 'part', parents: ['sda'], sizeBytes: gibibyte / 8 }),
  'vfat',
  'F00D-CAFE',
);
export const dataDisk = device({ kernelName: 'sdc', number: '8:32', children: ['sdc1'], serial: '60022480abcdef' });
export const dataPartition = formatted(
  device({
    kernelName: 'sdc1',
    number: '8:33',
    type: 'part',
    parents: ['sdc'],
    partitionUuid: '11111111-2222-3333-4444-555555555555',
    links: [
      '/dev/disk/azure/scsi1/lun0-part1',
      '/dev/disk/by-id/scsi-360022480abcdef-part1',
      '/dev/disk/by-partuuid/11111111-2222-3333-4444-555555555555',
      `/dev/disk/by-uuid/${dataUuid}`,
    ],
  }),
  'ext4',
  dataUuid,
);
export const rootMount = mount({ id: 1, parentId: 0, number: '8:1', point: '/', source: '/dev/sda1' });
export const bootMount = mount({ id: 2, number: '8:15', point: '/boot/efi', fileSystem: 'vfat', source: '/dev/sda15' });
export const dataMount = mount({ id: 3, number: '8:33', point: '/data0', source: '/dev/sdc1' });
export const rootLine = line(2, {
  source: 'UUID=0aa2c8b7-0000-4000-8000-000000000001',
  point: '/',
  device: 'sda1',
  pass: 1,
});
export const dataLine = line(4, { source: `UUID=${dataUuid}`, point: '/data0', device: 'sdc1' });

/** The volume /data0 of the healthy VM, with what a test changes of it. */
export function dataVolume(changes: Partial<Volume> = {}): Volume {
  return { device: dataPartition, mount: dataMount, fstab: dataLine, ...changes };
}
