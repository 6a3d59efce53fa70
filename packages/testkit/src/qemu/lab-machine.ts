import { randomBytes } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { KannukiError, type RunOptions, type RunResult, run } from '@kannuki/core';
import type { DataDiskSpec, Host, ProvisionFiles, StartOptions, VmStatus } from '@kannuki/host';
import { LabError } from '../lab/uml.ts';
import { labHost, labImage } from './lab-host.ts';
import { SshSession } from './ssh-session.ts';

export interface LabMachineOptions extends StartOptions {
  /** Begins the VM's name, for people who look at what runs. */
  readonly name?: string;
  readonly memoryMiB?: number;
  readonly cpus?: number;
  readonly dataDisks?: readonly DataDiskSpec[];
  /** Kept files of `VmSpec.provision`; one-time values are in `provision`. */
  readonly keptProvision?: ProvisionFiles;
  /** Called when the machine and its disks are there and its power is still off. */
  readonly beforeBoot?: (machine: LabMachine) => Promise<void>;
}

/** An emulated machine on a busy host takes its time. */
const bootSeconds = 300;
/** Many times what a boot takes on an idle machine. */
const hungSeconds = 180;
const commandSeconds = 120;

/**
 * Makes a QEMU machine from the lab's image and boots it by its own boot loader, until ssh answers. It is deleted when
 * it is disposed, whatever the test did to it.
 * @example
 * await using vm = await bootLabMachine({ dataDisks: [{ sizeBytes: 64 * 1024 * 1024 }] });
 * await vm.ssh('mkfs.ext4 -q /dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_data0');
 * await vm.powerCut();
 * await vm.boot();
 */
export async function bootLabMachine(options: LabMachineOptions = {}): Promise<LabMachine> {
  const host = await labHost();
  const name = `${options.name ?? 'vm'}-${process.pid}-${randomBytes(3).toString('hex')}`;
  await host.createVm({
    name,
    image: labImage,
    memoryMiB: options.memoryMiB ?? 1024,
    cpus: options.cpus ?? 2,
    dataDisks: options.dataDisks ?? [],
    ...(options.keptProvision === undefined ? {} : { provision: options.keptProvision }),
  });
  const machine = new LabMachine(host, name);
  try {
    await options.beforeBoot?.(machine);
    await machine.boot(options);
    return machine;
  } catch (error) {
    await machine[Symbol.asyncDispose]();
    throw error;
  }
}

/** A VM under test. */
export class LabMachine implements AsyncDisposable {
  readonly host: Host;
  readonly name: string;
  #session: SshSession | undefined;

  constructor(host: Host, name: string) {
    this.host = host;
    this.name = name;
  }

  /** Switches on and waits until ssh answers. @returns seconds from the one to the other */
  async boot(options: StartOptions = {}): Promise<number> {
    const before = Date.now();
    await this.host.start(this.name, options);
    try {
      await this.waitUntilUp(hungSeconds);
    } catch (error) {
      // A kernel without KVM hangs now and then in the first two seconds, before anything of ours runs.
      const { power, accelerator } = await this.status();
      if (power === 'stopped' || accelerator !== 'tcg') throw error;
      await this.host.reset(this.name);
      await this.waitUntilUp();
    }
    return (Date.now() - before) / 1000;
  }

  /** Runs a shell command in the VM as root. A command that fails is an error, unless its code is in `accept`. */
  async ssh(
    command: string,
    options: Pick<RunOptions, 'input' | 'timeoutSeconds' | 'accept'> = {},
  ): Promise<RunResult> {
    const args = [...(this.#session?.options ?? []), ...(await this.host.sshArguments(this.name))];
    try {
      return await run('ssh', [...args, '--', command], { timeoutSeconds: commandSeconds, ...options });
    } catch (error) {
      if (!(error instanceof KannukiError)) throw error;
      throw new LabError(`in ${this.name}: ${command}: ${error.message}`, { cause: error });
    }
  }

  /** What a command prints, without the last newline. */
  async read(command: string): Promise<string> {
    return (await this.ssh(command)).stdout.trimEnd();
  }

  /** What a command prints as JSON. */
  async readJson<Value>(command: string, options: { readonly accept?: readonly number[] } = {}): Promise<Value> {
    return JSON.parse((await this.ssh(command, options)).stdout) as Value;
  }

  /** Waits until ssh answers; after a boot that the test did not start itself, too. */
  async waitUntilUp(timeoutSeconds = bootSeconds): Promise<void> {
    const end = Date.now() + timeoutSeconds * 1000;
    for (;;) {
      const { power } = await this.host.status(this.name);
      if (power === 'stopped') throw new LabError(`${this.name} went off while it booted\n${await this.consoleTail()}`);
      const args = await this.host.sshArguments(this.name);
      try {
        await run('ssh', [...args, '--', 'true'], { timeoutSeconds: 30 });
        this.#session?.[Symbol.dispose]();
        this.#session = await SshSession.open(args);
        return;
      } catch (error) {
        if (!(error instanceof KannukiError)) throw error;
        if (Date.now() > end) {
          throw new LabError(`${this.name} did not come up in ${timeoutSeconds} s\n${await this.consoleTail()}`, {
            cause: error,
          });
        }
        await new Promise((resolve) => setTimeout(resolve, 300));
      }
    }
  }

  /** Waits until a command succeeds. */
  async waitFor(command: string, timeoutSeconds = commandSeconds): Promise<void> {
    const end = Date.now() + timeoutSeconds * 1000;
    for (;;) {
      try {
        await this.ssh(command, { timeoutSeconds: 30 });
        return;
      } catch (error) {
        if (Date.now() > end) throw error;
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
    }
  }

  /** Pulls the plug. What the VM had not flushed to its disks is gone. */
  async powerCut(): Promise<void> {
    await this.host.powerOff(this.name);
  }

  /** Shuts down as its owner would. */
  async shutDown(): Promise<'graceful' | 'forced'> {
    return await this.host.stop(this.name, { timeoutSeconds: commandSeconds });
  }

  async status(): Promise<VmStatus> {
    return await this.host.status(this.name);
  }

  /** Raw file of a data disk on this host. */
  async diskPath(serial: string): Promise<string> {
    const disk = (await this.host.describeVm(this.name)).dataDisks.find((one) => one.serial === serial);
    if (disk === undefined) throw new LabError(`${this.name} has no disk ${serial}`);
    return disk.path;
  }

  /** Everything the VM printed on its serial console. */
  async consoleText(): Promise<string> {
    return await readFile(this.host.consolePath(this.name), 'utf8');
  }

  /** Whether bytes occur anywhere in a data disk of this host. The VM should be off, or have synced. */
  async diskContains(serial: string, bytes: Buffer): Promise<boolean> {
    await using file = await open(await this.diskPath(serial), 'r');
    const chunk = Buffer.alloc(4 * 1024 * 1024);
    let kept = 0;
    for (;;) {
      const { bytesRead } = await file.read(chunk, kept, chunk.length - kept);
      if (bytesRead === 0) return false;
      const filled = chunk.subarray(0, kept + bytesRead);
      if (filled.includes(bytes)) return true;
      // A match may begin in this chunk and end in the next one.
      kept = Math.min(bytes.length - 1, filled.length);
      filled.copyWithin(0, filled.length - kept);
    }
  }

  /** The end of the console, for messages of failures. */
  async consoleTail(): Promise<string> {
    try {
      return (await this.consoleText()).slice(-4000);
    } catch {
      return '(no console)';
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#session?.[Symbol.dispose]();
    await this.host.deleteVm(this.name);
  }
}
