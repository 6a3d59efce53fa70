import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { run } from '@kannuki/core';
import { dataDevice, dataMountPoint } from '../../../power-cut/small-vm.ts';
import { type Arranged, type BadInput, refusedBy } from './case.ts';
import { spareDevice } from './spare-disk.ts';

/** What is wrong with the volume that the command names, or with its line in fstab. */
export const volumeCases: readonly BadInput[] = [
  {
    name: 'unknown mount point',
    target: '/srv/nowhere',
    expects: { exitCode: 3, errorCode: 'KNK-VOL-0100' },
  },
  {
    name: 'a mount point on no block device',
    target: '/tmp',
    expects: { exitCode: 10, errorCode: 'KNK-VOL-0103' },
  },
  {
    name: 'a disk in use by md RAID',
    target: spareDevice,
    disk: spareDevice,
    arrange: raidArray,
    expects: refusedBy('REQ-089', 'REQ-090'),
  },
  { name: 'read-only file system', arrange: mountedReadOnly, expects: refusedBy('REQ-044') },
  {
    name: 'fstab without nofail',
    arrange: () => fstabWith((text) => text.replace('defaults,nofail', 'defaults')),
    expects: refusedBy('REQ-042'),
  },
  {
    name: 'fstab with a device name that may change',
    arrange: async () => {
      const name = await kernelName(dataDevice);
      const arranged = await fstabWith((text) => text.replace(/^UUID=\S+/m, name));
      return { ...arranged, mentions: name };
    },
    expects: refusedBy('REQ-043'),
  },
  {
    name: 'volume not in fstab',
    arrange: () => fstabWith((text) => text.replace(/^UUID=.*\n/m, '')),
    expects: refusedBy('REQ-041'),
  },
  {
    name: 'all that is wrong with the line, at once',
    arrange: async () => {
      const name = await kernelName(dataDevice);
      return fstabWith((text) => text.replace(/^UUID=\S+/m, name).replace('defaults,nofail', 'noauto'));
    },
    expects: refusedBy('REQ-042', 'REQ-043', 'REQ-044'),
  },
  { name: 'a process with an open file', arrange: openFile, expects: refusedBy('REQ-051') },
  { name: 'another mount below the volume', arrange: nestedMount, expects: refusedBy('REQ-092') },
];

async function raidArray(): Promise<Arranged> {
  const environment = { MDADM_NO_UDEV: '1' };
  await run('modprobe', ['raid1']);
  const shape = ['--level=1', '--raid-devices=2', '--metadata=1.2', '--run', '--force'];
  await run('mdadm', ['--create', '/dev/md0', ...shape, spareDevice, 'missing'], { environment });
  return {
    undo: async () => {
      await run('mdadm', ['--stop', '/dev/md0'], { environment });
      await run('mdadm', ['--zero-superblock', spareDevice], { environment });
    },
    mentions: 'RAID array below /dev/md0',
  };
}

async function mountedReadOnly(): Promise<Arranged> {
  await run('mount', ['-o', 'remount,ro', dataMountPoint]);
  return {
    undo: async () => {
      await run('mount', ['-o', 'remount,rw', dataMountPoint]);
    },
  };
}

async function fstabWith(edit: (text: string) => string): Promise<Arranged> {
  const good = readFileSync('/etc/fstab', 'utf8');
  const bad = edit(good);
  if (bad === good) throw new Error('fstab is as it was');
  writeFileSync('/etc/fstab', bad);
  return { undo: async () => writeFileSync('/etc/fstab', good) };
}

/** `/dev/mapper/vm-data` → `/dev/dm-1`, the name that depends on the order in which devices were found. */
async function kernelName(device: string): Promise<string> {
  const { stdout } = await run('lsblk', ['--json', '--nodeps', '--output', 'KNAME', device]);
  const { blockdevices } = JSON.parse(stdout) as { blockdevices: readonly { readonly kname: string }[] };
  return `/dev/${blockdevices[0]?.kname ?? ''}`;
}

async function openFile(): Promise<Arranged> {
  const reader = spawn('sleep', ['3600'], { cwd: dataMountPoint, stdio: 'ignore' });
  await once(reader, 'spawn');
  return { undo: () => ended(reader), mentions: `${reader.pid} (sleep)` };
}

async function ended(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

async function nestedMount(): Promise<Arranged> {
  const point = `${dataMountPoint}/inner`;
  mkdirSync(point);
  await run('mount', ['-t', 'tmpfs', 'tmpfs', point]);
  return {
    undo: async () => {
      await run('umount', [point]);
      rmdirSync(point);
    },
    mentions: point,
  };
}
