import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { KannukiError, makeDirectoryDurably, type SecretBytes } from '@kannuki/core';
import { makeDataDisk, makeOsDisk } from './disks/files.ts';
import { plugDataDisk, unplugDataDisk } from './disks/hot-plug.ts';
import { machineRequirements, requirePrograms } from './files/programs.ts';
import { buildImage } from './images/build.ts';
import { defaultGuestProgram, type GuestProgram } from './images/guest-program.ts';
import { ImageStore } from './images/image-store.ts';
import { findRecipe } from './images/recipe.ts';
import { attachKeyVolume, detachKeyVolume, keyVolumeState } from './key-volume/key-volume.ts';
import { dataDiskFile, type MachineRecord, MachineStore, machineFiles } from './machine-store.ts';
import { checkDiskSize, checkKernelArguments, checkProvision, checkSerial, checkSpec } from './names.ts';
import type {
  Accelerator,
  BuildOptions,
  DataDisk,
  DataDiskSpec,
  HostPort,
  Image,
  StartOptions,
  StopOptions,
  VmDescription,
  VmEvent,
  VmSpec,
  VmStatus,
} from './port.ts';
import { provisionFor, toProvisionRecord } from './provision.ts';
import { probeAccelerator } from './qemu/accelerator.ts';
import { boundConsoleLog } from './qemu/console-log.ts';
import { launchQemu } from './qemu/launch.ts';
import { Machine } from './qemu/machine.ts';
import type { QmpClient } from './qemu/qmp.ts';
import { makeSshKey, sshArguments } from './qemu/ssh.ts';
import { Watcher } from './qemu/watcher.ts';

export interface HostOptions {
  readonly dataDirectory: string;
  /** Default: `kvm` where it really works, else `tcg`. */
  readonly accelerator?: Accelerator;
  /** What of Kannuki goes into images; default: this checkout's build. */
  readonly guestProgram?: GuestProgram;
}

const stopSeconds = 60;
const consoleCheckSeconds = 30;

/**
 * The host: images and QEMU machines below one data directory (`images/`, `vms/NAME/`).
 * @example const host = new Host({ dataDirectory: '/var/lib/kannuki-host' });
 */
export class Host implements HostPort {
  readonly dataDirectory: string;
  readonly #images: ImageStore;
  readonly #machines: MachineStore;
  readonly #guestProgram: GuestProgram;
  readonly #watchers = new Set<Watcher>();
  /** The last action of each VM: actions on one VM run one after the other. */
  readonly #last = new Map<string, Promise<unknown>>();
  #accelerator: Promise<Accelerator> | undefined;

  constructor(options: HostOptions) {
    this.dataDirectory = options.dataDirectory;
    this.#images = new ImageStore(join(options.dataDirectory, 'images'));
    this.#machines = new MachineStore(join(options.dataDirectory, 'vms'));
    this.#guestProgram = options.guestProgram ?? defaultGuestProgram;
    if (options.accelerator !== undefined) this.#accelerator = Promise.resolve(options.accelerator);
  }

  /** How machines of this host run; found out once. */
  async accelerator(): Promise<Accelerator> {
    this.#accelerator ??= probeAccelerator();
    return await this.#accelerator;
  }

  async buildImage(name: string, options: BuildOptions = {}): Promise<Image> {
    const recipe = findRecipe(name);
    if (recipe === undefined) {
      throw new KannukiError('KNK-HST-0011', { details: { field: 'image', detail: `no recipe is called ${name}` } });
    }
    checkKernelArguments(options.kernelArguments ?? []);
    const kernelArguments = [...recipe.kernelArguments, ...(options.kernelArguments ?? [])];
    const image = await buildImage(this.#images, { ...recipe, kernelArguments }, this.#guestProgram, options);
    const machines = await this.#machines.list();
    await this.#images.collect(new Set(machines.map((machine) => join(this.#images.folder, machine.imageFile))));
    return image;
  }

  async listImages(): Promise<readonly Image[]> {
    return await this.#images.list();
  }

  async createVm(spec: VmSpec): Promise<VmDescription> {
    checkSpec(spec);
    await requirePrograms(machineRequirements);
    return await this.#alone(spec.name, async () => {
      if (await this.#machines.exists(spec.name))
        throw new KannukiError('KNK-HST-0002', { details: { name: spec.name } });
      const image = await this.#images.find(spec.image);
      if (image === undefined) throw new KannukiError('KNK-HST-0003', { details: { name: spec.image } });
      await makeDirectoryDurably(this.#machines.folder, 0o700);
      await this.#machines.makeFolder(spec.name);
      const folder = this.#machines.path(spec.name);
      const record: MachineRecord = {
        version: 1,
        name: spec.name,
        uuid: randomUUID(),
        image: image.name,
        imageFile: image.fileName,
        memoryMiB: spec.memoryMiB,
        cpus: spec.cpus,
        dataDisks: spec.dataDisks.map(({ serial, sizeBytes }, lun) => ({
          serial: serial ?? `data${lun}`,
          sizeBytes,
          lun,
        })),
        provision: toProvisionRecord(spec.provision ?? {}),
      };
      try {
        await makeOsDisk(folder, image.path);
        for (const [index, disk] of record.dataDisks.entries()) {
          await makeDataDisk(folder, disk.serial, disk.sizeBytes, spec.dataDisks[index]?.copyOf);
        }
        await makeSshKey(folder, spec.name);
        await this.#machines.write(record);
      } catch (error) {
        await this.#machines.remove(spec.name);
        throw error;
      }
      return this.#describe(record);
    });
  }

  async listVms(): Promise<readonly VmDescription[]> {
    return (await this.#machines.list()).map((record) => this.#describe(record));
  }

  async describeVm(name: string): Promise<VmDescription> {
    return this.#describe(await this.#machines.read(name));
  }

  async deleteVm(name: string): Promise<void> {
    await this.#alone(name, async () => {
      await this.#machine(await this.#machines.read(name)).kill();
      await this.#machines.remove(name);
    });
  }

  async start(name: string, options: StartOptions = {}): Promise<VmStatus> {
    checkProvision(options.provision ?? {});
    await requirePrograms(machineRequirements);
    const accelerator = await this.accelerator();
    await this.#alone(name, async () => {
      const record = await this.#machines.read(name);
      const machine = this.#machine(record);
      if ((await machine.processId()) !== undefined) throw new KannukiError('KNK-HST-0004', { details: { name } });
      const folder = this.#machines.path(name);
      await boundConsoleLog(join(folder, machineFiles.consoleLog));
      const provision = await provisionFor(record, folder, options.provision ?? {});
      const startedAt = new Date().toISOString();
      const { pid } = await launchQemu(folder, record, accelerator, provision, async (sshPort) => {
        await this.#machines.writeRun(name, { accelerator, sshPort, startedAt });
      });
      try {
        await using monitor = await machine.connect();
        if (options.keyVolume !== undefined) await attachKeyVolume(monitor, name, pid, options.keyVolume);
        await monitor.execute('cont');
      } catch (error) {
        await machine.kill();
        throw error;
      }
      for (const watcher of this.#watchers) await watcher.add(name, machine);
    });
    return await this.status(name);
  }

  async stop(name: string, options: StopOptions = {}): Promise<'graceful' | 'forced'> {
    return await this.#alone(name, async () => {
      const machine = this.#machine(await this.#machines.read(name));
      if (await machine.shutDown(options.timeoutSeconds ?? stopSeconds)) return 'graceful';
      await machine.kill();
      return 'forced';
    });
  }

  /** Not one after the other with what else is done to the VM: pulling the plug also ends a stop that waits. */
  async powerOff(name: string): Promise<void> {
    await this.#machine(await this.#machines.read(name)).kill();
  }

  async reset(name: string): Promise<void> {
    await this.#withRunning(name, async (monitor) => {
      await monitor.execute('system_reset');
    });
  }

  async status(name: string): Promise<VmStatus> {
    const record = await this.#machines.read(name);
    const machine = this.#machine(record);
    await boundConsoleLog(this.consolePath(name));
    const pid = await machine.processId();
    const last = await this.#machines.readRun(name);
    if (pid === undefined || last === undefined) return stopped(name);
    const { accelerator, sshPort, startedAt } = last;
    const running = { name, processId: pid, accelerator, sshPort, startedAt };
    try {
      await using monitor = await machine.connect();
      const { running: runs } = (await monitor.execute('query-status')) as { running?: unknown };
      const keyVolumeAttached = (await keyVolumeState(monitor)) === 'attached';
      return { ...running, power: runs === true ? 'running' : 'paused', keyVolumeAttached };
    } catch (error) {
      if ((await machine.processId()) === undefined) return stopped(name);
      throw error;
    }
  }

  async attachKeyVolume(name: string, image: SecretBytes): Promise<void> {
    await this.#withRunning(name, async (monitor, pid) => {
      await attachKeyVolume(monitor, name, pid, image);
    });
  }

  async detachKeyVolume(name: string): Promise<void> {
    await this.#alone(name, async () => {
      const machine = this.#machine(await this.#machines.read(name));
      const pid = await machine.processId();
      // Its memory has gone with its process.
      if (pid === undefined) return;
      try {
        await using monitor = await machine.connect();
        await detachKeyVolume(monitor, pid);
      } catch (error) {
        if ((await machine.processId()) !== undefined) throw error;
      }
    });
  }

  async watch(listener: (event: VmEvent) => void): Promise<Disposable> {
    const watcher = new Watcher(listener);
    this.#watchers.add(watcher);
    const timer = setInterval(() => void this.#boundLogs(), consoleCheckSeconds * 1000);
    timer.unref();
    for (const record of await this.#machines.list()) await watcher.add(record.name, this.#machine(record));
    return {
      [Symbol.dispose]: () => {
        clearInterval(timer);
        this.#watchers.delete(watcher);
        watcher[Symbol.dispose]();
      },
    };
  }

  async attachDataDisk(name: string, disk: DataDiskSpec): Promise<DataDisk> {
    checkDiskSize(disk.sizeBytes);
    if (disk.serial !== undefined) checkSerial(disk.serial);
    return await this.#alone(name, async () => {
      const record = await this.#machines.read(name);
      const lun = firstFree(new Set(record.dataDisks.map((other) => other.lun)));
      const serial = disk.serial ?? `data${lun}`;
      if (record.dataDisks.some((other) => other.serial === serial)) {
        throw new KannukiError('KNK-HST-0011', { details: { field: 'serial', detail: `${serial} is there already` } });
      }
      const folder = this.#machines.path(name);
      await makeDataDisk(folder, serial, disk.sizeBytes, disk.copyOf);
      const added = { serial, sizeBytes: disk.sizeBytes, lun };
      const machine = this.#machine(record);
      try {
        if ((await machine.processId()) !== undefined) {
          await using monitor = await machine.connect();
          await plugDataDisk(monitor, serial, lun);
        }
      } catch (error) {
        await rm(join(folder, dataDiskFile(serial)), { force: true });
        throw error;
      }
      await this.#machines.write({ ...record, dataDisks: [...record.dataDisks, added] });
      return this.#describeDisk(name, added);
    });
  }

  async detachDataDisk(name: string, serial: string, options: { readonly remove?: boolean } = {}): Promise<void> {
    await this.#alone(name, async () => {
      const record = await this.#machines.read(name);
      if (!record.dataDisks.some((disk) => disk.serial === serial)) {
        throw new KannukiError('KNK-HST-0017', { details: { name, serial } });
      }
      const machine = this.#machine(record);
      if ((await machine.processId()) !== undefined) {
        await using monitor = await machine.connect();
        await unplugDataDisk(monitor, serial);
      }
      await this.#machines.write({ ...record, dataDisks: record.dataDisks.filter((disk) => disk.serial !== serial) });
      if (options.remove === true) await rm(join(this.#machines.path(name), dataDiskFile(serial)));
    });
  }

  consolePath(name: string): string {
    return this.#machines.path(name, machineFiles.consoleLog);
  }

  consoleSocketPath(name: string): string {
    return this.#machines.path(name, machineFiles.console);
  }

  async sshArguments(name: string): Promise<readonly string[]> {
    const record = await this.#machines.read(name);
    await this.#machine(record).requireProcessId();
    const last = await this.#machines.readRun(name);
    if (last === undefined) throw new KannukiError('KNK-HST-0005', { details: { name } });
    return sshArguments(this.#machines.path(name), name, last.sshPort);
  }

  #machine(record: MachineRecord): Machine {
    return new Machine(record.name, this.#machines.path(record.name), record.uuid);
  }

  async #withRunning(name: string, action: (monitor: QmpClient, pid: number) => Promise<void>): Promise<void> {
    await this.#alone(name, async () => {
      const machine = this.#machine(await this.#machines.read(name));
      const pid = await machine.requireProcessId();
      await using monitor = await machine.connect();
      await action(monitor, pid);
    });
  }

  async #alone<Result>(name: string, action: () => Promise<Result>): Promise<Result> {
    const before = this.#last.get(name) ?? Promise.resolve();
    const now = before.then(action, action);
    this.#last.set(name, now);
    try {
      return await now;
    } finally {
      if (this.#last.get(name) === now) this.#last.delete(name);
    }
  }

  async #boundLogs(): Promise<void> {
    for (const record of await this.#machines.list()) await boundConsoleLog(this.consolePath(record.name));
  }

  #describe(record: MachineRecord): VmDescription {
    const { name, image, memoryMiB, cpus } = record;
    return { name, image, memoryMiB, cpus, dataDisks: record.dataDisks.map((disk) => this.#describeDisk(name, disk)) };
  }

  #describeDisk(name: string, disk: MachineRecord['dataDisks'][number]): DataDisk {
    return { ...disk, path: this.#machines.path(name, dataDiskFile(disk.serial)) };
  }
}

function stopped(name: string): VmStatus {
  return {
    name,
    power: 'stopped',
    processId: null,
    accelerator: null,
    sshPort: null,
    keyVolumeAttached: false,
    startedAt: null,
  };
}

function firstFree(taken: ReadonlySet<number>): number {
  let lun = 0;
  while (taken.has(lun)) lun += 1;
  return lun;
}
