import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isMachineProcess, readPidFile } from './process-identity.ts';

const uuid = '9f1c9a64-6f0e-4c7e-9a57-2f3f7f1f9a11';

test('only a living QEMU with the uuid among its arguments is the machine', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kannuki-identity-'));
  // A shell under QEMU's name: what counts is what /proc says.
  const program = join(folder, 'qemu-system-x86_64');
  await symlink('/bin/sh', program);
  const machine = spawn(program, ['-c', 'read line; :', 'sh', '-uuid', uuid]);
  const bystander = spawn('/bin/sh', ['-c', 'read line; :', 'sh', '-uuid', uuid]);
  try {
    await Promise.all([once(machine, 'spawn'), once(bystander, 'spawn')]);
    const pid = machine.pid ?? 0;
    assert.equal(await isMachineProcess(pid, uuid), true);
    assert.equal(await isMachineProcess(pid, uuid.replace('9', '8')), false);
    assert.equal(await isMachineProcess(bystander.pid ?? 0, uuid), false);
    machine.kill('SIGKILL');
    await once(machine, 'close');
    assert.equal(await isMachineProcess(pid, uuid), false);
  } finally {
    machine.kill('SIGKILL');
    bystander.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  }
});

test('a process id file that is missing, empty or nonsense names no process', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kannuki-pid-'));
  try {
    const path = join(folder, 'pid');
    assert.equal(await readPidFile(path), undefined);
    for (const text of ['', '0\n', '1\n', '-5\n', '12x\n', '1e3000\n']) {
      await writeFile(path, text);
      assert.equal(await readPidFile(path), undefined, JSON.stringify(text));
    }
    await writeFile(path, '4711\n');
    assert.equal(await readPidFile(path), 4711);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
