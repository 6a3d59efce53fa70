import { chmod, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { KannukiError, makeDirectoryDurably, removeDurably, syncDirectory, writeFileDurably } from '@kannuki/core';
import { checkVmName } from './names.ts';
import type { Accelerator } from './port.ts';

/** What a machine is; `machine.json`. Paths are derived, so that a data directory can be moved. */
export interface MachineRecord {
  readonly version: 1;
  readonly name: string;
  /** Random; marks the QEMU process and gives the VM its SMBIOS UUID and network address. */
  readonly uuid: string;
  readonly image: string;
  /** File name of the image's disk in the images folder: what the OS disk stands on. */
  readonly imageFile: string;
  readonly memoryMiB: number;
  readonly cpus: number;
  readonly dataDisks: readonly { readonly serial: string; readonly sizeBytes: number; readonly lun: number }[];
  /** Base64 by name. */
  readonly provision: Readonly<Record<string, string>>;
}

/** How it was last started; `run.json`. Whether it still runs is asked of the process itself. */
export interface RunRecord {
  readonly accelerator: Accelerator;
  readonly sshPort: number;
  readonly startedAt: string;
}

/** Names of the files in a machine's folder; QEMU works in that folder and knows only these. */
export const machineFiles = {
  record: 'machine.json',
  run: 'run.json',
  pid: 'qemu.pid',
  monitor: 'monitor.sock',
  events: 'events.sock',
  console: 'console.sock',
  consoleLog: 'console.log',
  log: 'qemu.log',
  osDisk: 'os.qcow2',
  sshKey: 'ssh-key',
  knownHosts: 'known-hosts',
} as const;

export function dataDiskFile(serial: string): string {
  return `disk-${serial}.raw`;
}

/** The machines' folders: `vms/NAME/`, of mode 0700. */
export class MachineStore {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** @throws KannukiError KNK-HST-0011 on a name that could not be a folder of ours */
  path(name: string, ...rest: readonly string[]): string {
    checkVmName(name);
    return join(this.folder, name, ...rest);
  }

  async list(): Promise<readonly MachineRecord[]> {
    let names: string[];
    try {
      names = await readdir(this.folder);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
    const records: MachineRecord[] = [];
    for (const name of names.sort()) {
      const record = name.startsWith('.') ? undefined : await this.#readIfThere(name);
      if (record !== undefined) records.push(record);
    }
    return records;
  }

  /** @throws KannukiError KNK-HST-0001 when there is none */
  async read(name: string): Promise<MachineRecord> {
    const record = await this.#readIfThere(name);
    if (record === undefined) throw new KannukiError('KNK-HST-0001', { details: { name } });
    return record;
  }

  async exists(name: string): Promise<boolean> {
    return (await this.#readIfThere(name)) !== undefined;
  }

  /** An empty folder: what a creation that was cut short left behind goes first. */
  async makeFolder(name: string): Promise<void> {
    await rm(this.path(name), { recursive: true, force: true });
    await makeDirectoryDurably(this.path(name), 0o700);
    await chmod(this.path(name), 0o700);
  }

  /** The record is written last at creation: a machine is there when its record is. */
  async write(record: MachineRecord): Promise<void> {
    await writeFileDurably(this.path(record.name, machineFiles.record), `${JSON.stringify(record, null, 2)}\n`, 0o600);
  }

  /** The record goes first, for the same reason. */
  async remove(name: string): Promise<void> {
    await removeDurably(this.path(name, machineFiles.record));
    await rm(this.path(name), { recursive: true, force: true });
    await syncDirectory(this.folder);
  }

  async readRun(name: string): Promise<RunRecord | undefined> {
    const value = await readJson(this.path(name, machineFiles.run));
    if (!isObject(value)) return undefined;
    const { accelerator, sshPort, startedAt } = value;
    const complete =
      (accelerator === 'kvm' || accelerator === 'tcg') &&
      Number.isSafeInteger(sshPort) &&
      typeof startedAt === 'string';
    return complete ? (value as unknown as RunRecord) : undefined;
  }

  async writeRun(name: string, run: RunRecord): Promise<void> {
    await writeFileDurably(this.path(name, machineFiles.run), `${JSON.stringify(run, null, 2)}\n`, 0o600);
  }

  async #readIfThere(name: string): Promise<MachineRecord | undefined> {
    const path = this.path(name, machineFiles.record);
    const value = await readJson(path);
    if (value === undefined) return undefined;
    if (!isObject(value) || value.version !== 1 || value.name !== name || !isComplete(value)) {
      throw new KannukiError('KNK-HST-0015', { details: { path, detail: 'not a record of this machine' } });
    }
    return value as unknown as MachineRecord;
  }
}

function isComplete(value: Readonly<Record<string, unknown>>): boolean {
  return (
    typeof value.uuid === 'string' &&
    /^[0-9a-f-]{36}$/.test(value.uuid) &&
    typeof value.image === 'string' &&
    typeof value.imageFile === 'string' &&
    /^[a-z0-9.-]+$/.test(value.imageFile) &&
    Number.isSafeInteger(value.memoryMiB) &&
    Number.isSafeInteger(value.cpus) &&
    isObject(value.provision) &&
    Array.isArray(value.dataDisks) &&
    value.dataDisks.every(
      (disk: unknown) =>
        isObject(disk) &&
        typeof disk.serial === 'string' &&
        /^[A-Za-z0-9-]{1,20}$/.test(disk.serial) &&
        Number.isSafeInteger(disk.sizeBytes) &&
        Number.isSafeInteger(disk.lun),
    )
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

async function readJson(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new KannukiError('KNK-HST-0015', { details: { path, detail: 'not JSON' }, cause: error });
  }
}
