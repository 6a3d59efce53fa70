import { mkdirSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { run } from '@kannuki/core';
import { Locks } from '@kannuki/guest/volumes/locks';
import { type Arranged, type BadInput, refusedBy } from './case.ts';

/** What is wrong with the machine around the volume. */
export const machineCases: readonly BadInput[] = [
  { name: 'full /boot', arrange: fullBoot, expects: refusedBy('REQ-053') },
  { name: 'full /var', arrange: fullVar, expects: refusedBy('REQ-096') },
  { name: 'vfat missing', arrange: () => withoutModule('vfat'), expects: refusedBy('REQ-038') },
  { name: 'dm-crypt missing', arrange: () => withoutModule('dm-crypt'), expects: refusedBy('REQ-038') },
  { name: 'too little memory', arrange: littleMemory, expects: refusedBy('REQ-020') },
  {
    name: 'a second run while one runs',
    arrange: otherRun,
    expects: { exitCode: 75, errorCode: 'KNK-VOL-0002' },
  },
];

async function fullBoot(): Promise<Arranged> {
  await run('mount', ['-t', 'tmpfs', '-o', 'size=8M', 'tmpfs', '/boot']);
  return {
    undo: async () => {
      await run('umount', ['/boot']);
    },
  };
}

const mebibyte = 1024 * 1024;

async function fullVar(): Promise<Arranged> {
  const { bavail, bsize } = statfsSync('/var/lib');
  await run('fallocate', ['--length', String(bavail * bsize - 8 * mebibyte), '/var/lib/ballast']);
  return { undo: async () => rmSync('/var/lib/ballast') };
}

/** Takes a module out of the kernel, and all that could be loaded away, as on a machine with a minimal kernel package. */
async function withoutModule(name: string): Promise<Arranged> {
  await run('rmmod', [name]);
  await run('umount', ['/lib/modules']);
  return {
    undo: async () => {
      await run('mount', ['-t', 'hostfs', '-o', modulesOfTheLab(), 'none', '/lib/modules']);
      await run('modprobe', [name]);
    },
    mentions: name,
  };
}

function modulesOfTheLab(): string {
  const folder = /(?:^| )lab\.modules=(\S+)/.exec(readFileSync('/proc/cmdline', 'utf8'))?.[1];
  if (folder === undefined) throw new Error('the lab has not said where its modules are');
  return folder;
}

/** Less than the 128 MiB that the conversion wants, and enough for the program to say so. */
const leftBytes = 120 * mebibyte;

async function littleMemory(): Promise<Arranged> {
  mkdirSync('/run/ballast');
  await run('mount', ['-t', 'tmpfs', '-o', 'size=100%', 'tmpfs', '/run/ballast']);
  await run('fallocate', ['--length', String(availableBytes() - leftBytes), '/run/ballast/file']);
  return {
    undo: async () => {
      await run('umount', ['/run/ballast']);
    },
  };
}

function availableBytes(): number {
  const kibibytes = /^MemAvailable: +(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1];
  return Number(kibibytes) * 1024;
}

async function otherRun(): Promise<Arranged> {
  const lock = await new Locks('/run/kannuki', run).volume('kn_srv_data0');
  return {
    undo: async () => {
      await lock[Symbol.asyncDispose]();
    },
  };
}
