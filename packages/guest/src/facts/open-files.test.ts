import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { run } from '@kannuki/core';
import type { OpenFileUser } from './model.ts';
import { parseMountTable } from './mount-table.ts';
import { readOpenFiles } from './open-files.ts';
import { mappedFiles, readProcesses } from './processes.ts';
import { fakeMachine } from './testing/fake-machine.ts';
import { type LoopDisk, makeLoopDisk } from './testing/loop-disk.ts';

/** A program that says `ready` once it holds what it is to hold, and then waits. */
class Holder implements AsyncDisposable {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async start(program: string, args: readonly string[], folder = '/'): Promise<Holder> {
    const child = spawn(program, args, { cwd: folder, stdio: ['pipe', 'pipe', 'inherit'] });
    const [first] = await once(child.stdout, 'data');
    assert.match(String(first), /ready/);
    return new Holder(child);
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }
}

const shell = (script: string, folder?: string): Promise<Holder> =>
  Holder.start('sh', ['-c', `${script}; echo ready; read x`], folder);
const node = (script: string): Promise<Holder> =>
  Holder.start(process.execPath, ['-e', `${script}; console.log('ready'); process.stdin.resume()`]);

async function numberOf(point: string): Promise<string> {
  const table = parseMountTable((await run('cat', ['/proc/self/mountinfo'])).stdout);
  return table.find((mount) => mount.point === point)?.number ?? 'not mounted';
}

const disk = (): Promise<LoopDisk> => makeLoopDisk(64 * 1024 * 1024, 'mkfs.ext4', '-q');

async function usersOf(number: string): Promise<readonly OpenFileUser[]> {
  return (await readOpenFiles({ root: '/', run }, new Set([number]))).openFiles;
}

describe('who keeps a file system busy, on a real one', () => {
  const holders: Readonly<Record<string, (point: string) => Promise<Holder>>> = {
    'an open file': (point) => shell(`exec 3>'${point}/file'`),
    'a deleted open file': (point) => shell(`exec 3>'${point}/file'; rm '${point}/file'`),
    'the current folder': (point) => shell(':', point),
    'a mapped program': async (point) => {
      await run('cp', ['/bin/sh', join(point, 'shell')]);
      return Holder.start(join(point, 'shell'), ['-c', 'echo ready; read x']);
    },
    'a bound socket': (point) => node(`require('net').createServer().listen('${point}/socket')`),
    'an open folder': (point) => node(`require('fs').openSync('${point}')`),
  };
  for (const [what, hold] of Object.entries(holders)) {
    test(what, async () => {
      await using loop = await disk();
      const point = await loop.mount();
      const number = await numberOf(point);
      assert.deepEqual(await usersOf(number), []);
      await using holder = await hold(point);
      const users = await usersOf(number);
      assert.deepEqual(
        users.map(({ pid }) => pid),
        [holder.pid],
        JSON.stringify(users),
      );
      assert.ok(
        users[0]?.paths.some((path) => path.startsWith(point)),
        JSON.stringify(users),
      );
      assert.equal((await run('umount', [point], { accept: [0, 32] })).exitCode, 32, 'the kernel calls it busy too');
    });
  }

  test('nobody is blamed for files elsewhere or on another device', async () => {
    await using loop = await disk();
    await using other = await disk();
    const point = await loop.mount();
    const elsewhere = await other.mount();
    await using holder = await shell(`exec 3>'${elsewhere}/file'`);
    assert.deepEqual(await usersOf(await numberOf(point)), []);
    assert.deepEqual(
      (await usersOf(await numberOf(elsewhere))).map(({ pid }) => pid),
      [holder.pid],
    );
  });

  test('a container that keeps the mount to itself', async () => {
    await using loop = await disk();
    const point = await loop.mount();
    const number = await numberOf(point);
    await using holder = await Holder.start('unshare', [
      '--mount',
      '--propagation',
      'private',
      'sh',
      '-c',
      'echo ready; read x',
    ]);
    const { foreignMounts, openFiles } = await readOpenFiles({ root: '/', run }, new Set([number]));
    assert.deepEqual(openFiles, []);
    assert.deepEqual(
      foreignMounts.map((mount) => [mount.pid, mount.point]),
      [[holder.pid, point]],
    );
    assert.equal((await run('umount', [point])).exitCode, 0);
    // Unmounted here and yet in use: cryptsetup could not have the device for itself.
    assert.equal((await run('mkfs.ext4', ['-q', loop.device], { accept: [0, 1] })).exitCode, 1);
  });

  test('a container that takes our changes goes with the unmount', async () => {
    await using loop = await disk();
    mkdirSync(join(loop.folder, 'shared'));
    const shared = join(loop.folder, 'shared');
    await run('mount', ['--bind', '--make-private', shared, shared]);
    try {
      await run('mount', ['--make-shared', shared]);
      mkdirSync(join(shared, 'data'));
      await run('mount', [loop.device, join(shared, 'data')]);
      const number = await numberOf(join(shared, 'data'));
      await using holder = await Holder.start('unshare', [
        '--mount',
        '--propagation',
        'slave',
        'sh',
        '-c',
        'echo ready; read x',
      ]);
      assert.ok(holder.pid > 0);
      assert.deepEqual((await readOpenFiles({ root: '/', run }, new Set([number]))).foreignMounts, []);
      await run('umount', [join(shared, 'data')]);
      assert.equal((await run('mkfs.ext4', ['-q', loop.device])).exitCode, 0, 'the device is free');
    } finally {
      await run('umount', ['--recursive', '--lazy', shared], { accept: [0, 1, 32] });
    }
  });
});

test('maps: device numbers are hexadecimal, what is no file is left out', () => {
  const maps = [
    '55d0c8a00000-55d0c8a02000 r--p 00000000 fd:1f 12345                      /data0/my program (deleted)',
    '7f0000000000-7f0000021000 rw-p 00000000 00:00 0 ',
    '7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0                          [stack]',
    '7f1000000000-7f1000001000 rw-s 00000000 103:02 9                         /dev/shm/x',
  ].join('\n');
  assert.deepEqual(
    [...mappedFiles(maps)],
    [
      ['253:31', '/data0/my program (deleted)'],
      ['259:2', '/dev/shm/x'],
    ],
  );
});

test('units of the owners, and of other namespaces, from a made-up /proc', async () => {
  const ours = '22 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n30 22 8:33 / /data0 rw shared:9 - ext4 /dev/sdc1 rw\n';
  using machine = fakeMachine(
    {
      '/proc/self/ns/mnt': { link: 'mnt:[1]' },
      '/proc/self/mountinfo': ours,
      '/proc/812/ns/mnt': { link: 'mnt:[1]' },
      '/proc/812/comm': 'postgres\n',
      '/proc/812/cgroup': '0::/system.slice/postgresql.service\n',
      '/proc/812/fd/3': { link: 'base/1' },
      '/proc/900/ns/mnt': { link: 'mnt:[2]' },
      '/proc/900/comm': 'app\n',
      '/proc/900/cgroup': '0::/system.slice/app.service\n',
      '/proc/900/mountinfo':
        '50 1 8:1 / / rw master:1 - ext4 /dev/sda1 rw\n51 50 8:33 / /data0 rw master:9 - ext4 /dev/sdc1 rw\n',
      '/proc/900/maps': '1000-2000 r--p 00000000 08:21 77 /data0/lib.so\n',
      '/proc/901/ns/mnt': { link: 'mnt:[3]' },
      '/proc/901/comm': 'java\n',
      '/proc/901/mountinfo': '60 1 0:99 / / rw - overlay overlay rw\n61 60 8:33 / /mnt rw - ext4 /dev/sdc1 rw\n',
    },
    {
      systemctl: [
        'Id=postgresql.service\nLoadState=loaded\nUnitFileState=enabled\nRefuseManualStart=no\nRefuseManualStop=no\nTransient=no\nTriggeredBy=\n',
        'Id=app.service\nLoadState=loaded\nUnitFileState=static\nRefuseManualStart=no\nRefuseManualStop=no\nTransient=no\nTriggeredBy=app.socket\n',
      ].join('\n'),
    },
  );
  mkdirSync(join(machine.root, 'proc/812/fdinfo'));
  writeFileSync(join(machine.root, 'proc/812/fdinfo/3'), 'pos:\t0\nflags:\t02\nmnt_id:\t30\nino:\t5\n');
  const found = await readOpenFiles(machine, new Set(['8:33']));
  // A made-up link is relative; the walk takes only absolute paths for files.
  assert.deepEqual(
    found.openFiles.map(({ pid, unit }) => [pid, unit?.name, unit?.canBeStopped]),
    [[900, 'app.service', true]],
  );
  assert.deepEqual(found.foreignMounts, [{ number: '8:33', point: '/mnt', pid: 901, command: 'java', unit: null }]);
});

test('the walk over this machine ends, and hides nothing that it was denied', () => {
  const { hiddenProcesses, users } = readProcesses('/', new Set(['999999:1']));
  assert.deepEqual(users, []);
  assert.ok(!hiddenProcesses.includes(process.pid));
});
