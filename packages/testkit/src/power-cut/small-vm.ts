import { appendFileSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { run } from '@kannuki/core';

/**
 * The VM of the power-cut tests, as a lab machine sees it: one disk /dev/ubda with two partitions, "state" (what an OS disk
 * holds: /etc and /var/lib) and "data" (the volume to encrypt). Both lie on one disk so that one record has all
 * writes, of the header and of the data, in one order. Cuts nevertheless take them for two disks, each with a volatile
 * cache of its own: a second and third record say which of the two asked for a flush (disk-record.ts).
 */
export interface SmallVm {
  readonly stateMiB: number;
  readonly dataMiB: number;
}

export const smallVm: SmallVm = { stateMiB: 112, dataMiB: 160 };

/** The smallest that can be tested: below 150 MiB we refuse, below 300 MiB mkfs.xfs does. */
export function smallVmFor(fileSystem: 'ext4' | 'xfs'): SmallVm {
  return fileSystem === 'ext4' ? smallVm : { ...smallVm, dataMiB: 320 };
}
export const dataMountPoint = '/srv/data0';
export const dataDevice = '/dev/mapper/vm-data';
const stateDevice = '/dev/mapper/vm-state';
const recorder = 'vm-log';

export function diskBytes(vm: SmallVm): number {
  return (vm.stateMiB + vm.dataMiB) * 1024 * 1024;
}

/** Where the data volume begins on the disk image, bytes. */
export function dataOffset(vm: SmallVm): number {
  return vm.stateMiB * 1024 * 1024;
}

/** The images of a recorded machine in their order: the disk, and the logs of all, of "state" and of "data". */
export const recordedDisks = ['disk.img', 'all.log', 'state.log', 'data.log'] as const;

/** Makes the partitions of a disk; with `record`, a recorder below both and one on each, with logs on /dev/ubdb, ubdc and ubdd. */
export async function attachPartitions(vm: SmallVm, record: boolean, disk = '/dev/ubda'): Promise<void> {
  const state = vm.stateMiB * 2048;
  const data = vm.dataMiB * 2048;
  // The uuid's prefix is what makes lsblk(8) call them partitions, as kpartx(8) does it.
  if (!record) {
    await dmCreate([
      ['vm-state', 'part1-lab', `0 ${state} linear ${disk} 0`],
      ['vm-data', 'part2-lab', `0 ${data} linear ${disk} ${state}`],
    ]);
    return;
  }
  await dmCreate([[recorder, '', `0 ${diskBytes(vm) / 512} log-writes ${disk} /dev/ubdb`]]);
  const below = `/dev/mapper/${recorder}`;
  await dmCreate([
    ['part-state', '', `0 ${state} linear ${below} 0`],
    ['part-data', '', `0 ${data} linear ${below} ${state}`],
  ]);
  await dmCreate([
    ['vm-state', 'part1-lab', `0 ${state} log-writes /dev/mapper/part-state /dev/ubdc`],
    ['vm-data', 'part2-lab', `0 ${data} log-writes /dev/mapper/part-data /dev/ubdd`],
  ]);
}

/** Lets the recorders write down what they have and go; the logs are complete then. */
export async function detachRecorder(): Promise<void> {
  for (const name of ['vm-data', 'vm-state', 'part-data', 'part-state', recorder]) {
    await run('dmsetup', ['remove', '--retry', name]);
  }
}

/** A line in the record: what came before it is before it. */
export async function mark(text: string): Promise<void> {
  await run('dmsetup', ['message', recorder, '0', 'mark', text]);
}

/** Without lazy initialisation: what is written to the disk later was written by someone. */
export async function makeFileSystems(type: 'ext4' | 'xfs'): Promise<void> {
  const ext4 = ['-q', '-b', '4096', '-E', 'lazy_itable_init=0,lazy_journal_init=0'];
  await run('mkfs.ext4', [...ext4, stateDevice]);
  if (type === 'ext4') await run('mkfs.ext4', [...ext4, dataDevice]);
  else await run('mkfs.xfs', ['-q', '-s', 'size=4096', dataDevice]);
}

/** Mounts the state and puts /etc and /var/lib on it, as an OS disk has them. */
export async function bootState(): Promise<void> {
  mkdirSync('/run/state', { recursive: true });
  await run('mount', ['-t', 'ext4', stateDevice, '/run/state']);
  if (!existsSync('/run/state/etc')) {
    cpSync('/etc', '/run/state/etc', { recursive: true, verbatimSymlinks: true });
    mkdirSync('/run/state/lib');
    await run('sync', []);
  }
  writeFileSync('/run/binds', '/run/state/etc /etc none bind\n/run/state/lib /var/lib none bind\n');
  await run('mount', ['--all', '--fstab', '/run/binds']);
  mkdirSync(dataMountPoint, { recursive: true });
}

export async function leaveState(): Promise<void> {
  await run('sync', []);
  await run('umount', ['/var/lib', '/etc', '/run/state']);
}

/** Enters the data volume in fstab as a careful administrator would, and mounts it. */
export async function enterDataInFstab(type: 'ext4' | 'xfs'): Promise<void> {
  const { stdout } = await run('blkid', ['--probe', '--output', 'value', '--match-tag', 'UUID', dataDevice]);
  appendFileSync('/etc/fstab', `# data\nUUID=${stdout.trim()}  ${dataMountPoint}\t${type} defaults,nofail 0 2\n`);
  await run('mount', ['-t', type, dataDevice, dataMountPoint]);
  await run('sync', []);
}

/** What a boot does with fstab: mounts the data volume if the file still names it. */
export async function mountFromFstab(): Promise<boolean> {
  const line = readFileSync('/etc/fstab', 'utf8')
    .split('\n')
    .find((entry) => !entry.startsWith('#') && entry.split(/\s+/)[1] === dataMountPoint);
  if (line === undefined) return false;
  // With `nofail` a boot goes on without a volume that is no file system any more, e.g. in the middle of its formatting.
  const type = line.split(/\s+/)[2] ?? 'auto';
  const { exitCode } = await run('mount', ['-t', type, dataDevice, dataMountPoint], { accept: [0, mountFailure] });
  return exitCode === 0;
}

/** mount(8). */
const mountFailure = 32;

/** What is mounted at the data volume's mount point; undefined: nothing. */
export function mountedDataDevice(): string | undefined {
  const lines = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  return lines.find((line) => line.split(' ')[1] === dataMountPoint)?.split(' ')[0];
}

/** Unmounts the data volume and takes its mapping away, if it has one. */
export async function leaveData(): Promise<void> {
  const device = mountedDataDevice();
  if (device === undefined) return;
  await run('umount', [dataMountPoint]);
  if (device !== dataDevice && device.startsWith('/dev/mapper/')) await closeMapping(device.slice(12));
}

/** The mapping that a decryption leaves goes by itself with its last user. */
export async function closeMapping(name: string): Promise<void> {
  await run('cryptsetup', ['close', name], { accept: [0, notThere] });
}

/** cryptsetup(8). */
const notThere = 4;

/** Several at once: each program that is started costs a lab machine a twentieth of a second. */
async function dmCreate(devices: readonly (readonly [name: string, uuid: string, table: string])[]): Promise<void> {
  const concise = devices.map(([name, uuid, table]) => `${name},${uuid},,rw,${table}`).join(';');
  await run('dmsetup', ['create', '--concise', concise]);
  await run('dmsetup', ['mknodes']);
}
