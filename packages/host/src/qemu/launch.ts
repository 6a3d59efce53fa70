import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { KannukiError } from '@kannuki/core';
import { keyVolumeDescriptor } from '../key-volume/key-volume.ts';
import { MemoryFile } from '../key-volume/memory-file.ts';
import { type MachineRecord, machineFiles } from '../machine-store.ts';
import type { Accelerator, ProvisionFiles } from '../port.ts';
import { qemuArguments } from './arguments.ts';
import { readPidFile } from './process-identity.ts';
import { QmpClient } from './qmp.ts';

const readySeconds = 30;
const attempts = 3;
/** QEMU inherits no more descriptors than these, of which each provision file takes one. */
const firstProvisionDescriptor = keyVolumeDescriptor + 1;

export interface Launched {
  readonly pid: number;
  readonly sshPort: number;
}

/**
 * Starts the QEMU process of a machine, its processor still stopped. The process is a session of its own and goes on
 * when this one ends. Provision files reach it as memory-only files that are wiped once it has read them.
 */
export async function launchQemu(
  folder: string,
  record: MachineRecord,
  accelerator: Accelerator,
  provision: ProvisionFiles,
  /** Called with the port before the process starts, to record it. */
  beforeStart: (sshPort: number) => Promise<void>,
): Promise<Launched> {
  const log = join(folder, machineFiles.log);
  for (let attempt = 1; ; attempt += 1) {
    const sshPort = await freePort();
    await beforeStart(sshPort);
    const failure = await tryLaunch(folder, record, accelerator, provision, sshPort);
    if (typeof failure === 'number') return { pid: failure, sshPort };
    // Another program may have taken the port between our look and QEMU's.
    if (attempt >= attempts || !failure.includes('host forwarding')) {
      throw new KannukiError('KNK-HST-0006', { details: { name: record.name, detail: failure, log } });
    }
  }
}

/** @returns the process id, or why it did not start */
async function tryLaunch(
  folder: string,
  record: MachineRecord,
  accelerator: Accelerator,
  provision: ProvisionFiles,
  sshPort: number,
): Promise<number | string> {
  for (const name of [machineFiles.pid, machineFiles.monitor]) await rm(join(folder, name), { force: true });
  using keyVolume = new MemoryFile();
  using stack = new DisposableStack();
  const files = Object.values(provision).map((content) => stack.use(new MemoryFile(Buffer.from(content))));
  const names = Object.keys(provision).map((name, index) => [name, firstProvisionDescriptor + index] as const);
  const log = await open(join(folder, machineFiles.log), 'w', 0o600);
  let child: ChildProcess;
  try {
    const args = qemuArguments({ record, accelerator, sshPort, provision: new Map(names) });
    // No core file: keys pass through QEMU's own buffers too.
    child = spawn('/usr/bin/prlimit', ['--core=0:0', '--', 'qemu-system-x86_64', ...args], {
      cwd: folder,
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
      stdio: ['ignore', log.fd, log.fd, keyVolume.descriptor, ...files.map((file) => file.descriptor)],
      detached: true,
    });
    await once(child, 'spawn');
  } finally {
    await log.close();
  }
  child.unref();
  try {
    await waitUntilReady(child, folder);
  } catch (error) {
    if (child.kill('SIGKILL')) await once(child, 'exit');
    const said = (await readFile(join(folder, machineFiles.log), 'utf8')).trim().split('\n').slice(-3).join(' | ');
    if (said !== '') return said.slice(0, 600);
    return error instanceof Error ? error.message : String(error);
  } finally {
    for (const file of files) file.wipe();
  }
  return (await readPidFile(join(folder, machineFiles.pid))) ?? 'QEMU wrote no process id';
}

/** QEMU has read everything it was given when its monitor answers. */
async function waitUntilReady(child: ChildProcess, folder: string): Promise<void> {
  const end = Date.now() + readySeconds * 1000;
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error('QEMU ended at once');
    try {
      await using _monitor = await QmpClient.connect(join(folder, machineFiles.monitor));
      return;
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('a TCP server has no port');
  return address.port;
}
