import { KannukiError, SecretBytes } from '@kannuki/core';
import type { DataDisk, HostPort, Image, StartOptions, VmDescription, VmEvent, VmSpec, VmStatus } from '@kannuki/host';

interface Machine {
  readonly spec: VmSpec;
  running: boolean;
  keyVolume: SecretBytes | undefined;
}

export const testImage: Image = {
  name: 'debian-12',
  urn: 'Debian:debian-12:12:1.0.0',
  path: '/images/debian-12.raw',
  fileName: 'debian-12.raw',
  format: 'raw',
  sizeBytes: 2 ** 31,
  sha256: '0'.repeat(64),
  builtAt: '2026-01-01T00:00:00Z',
  inputsSha256: '0'.repeat(64),
};

/**
 * A host for tests of the domain: machines are entries of a map, and everything that was asked of it is on record.
 * It outlives the server, as processes of real machines do.
 */
export class RecordingHost implements HostPort {
  readonly calls: string[] = [];
  readonly starts: { readonly name: string; readonly options: StartOptions }[] = [];
  /** The next call of this name fails with this error. */
  failNext: { readonly call: string; readonly error: Error } | undefined;
  readonly #listeners = new Set<(event: VmEvent) => void>();
  readonly #machines = new Map<string, Machine>();

  async buildImage(): Promise<Image> {
    this.#record('buildImage');
    return testImage;
  }

  async listImages(): Promise<readonly Image[]> {
    return [testImage];
  }

  async createVm(spec: VmSpec): Promise<VmDescription> {
    this.#record(`createVm ${spec.name}`);
    this.#machines.set(spec.name, { spec, running: false, keyVolume: undefined });
    return this.describeVm(spec.name);
  }

  async listVms(): Promise<readonly VmDescription[]> {
    return Promise.all([...this.#machines.keys()].map((name) => this.describeVm(name)));
  }

  async describeVm(name: string): Promise<VmDescription> {
    const { image, memoryMiB, cpus, dataDisks } = this.#machine(name).spec;
    return {
      name,
      image,
      memoryMiB,
      cpus,
      dataDisks: dataDisks.map((disk, lun) => diskOf(lun, disk.sizeBytes, disk.serial)),
    };
  }

  async deleteVm(name: string): Promise<void> {
    this.#record(`deleteVm ${name}`);
    this.#machines.delete(name);
  }

  async start(name: string, options: StartOptions = {}): Promise<VmStatus> {
    this.#record(`start ${name}`);
    const machine = this.#machine(name);
    machine.running = true;
    // As a real host: a copy, since the caller wipes its own.
    machine.keyVolume = options.keyVolume === undefined ? undefined : SecretBytes.copy(options.keyVolume.bytes);
    this.starts.push({ name, options: { ...options, ...(machine.keyVolume && { keyVolume: machine.keyVolume }) } });
    return this.status(name);
  }

  async stop(name: string): Promise<'graceful' | 'forced'> {
    this.#record(`stop ${name}`);
    await this.powerOff(name);
    return 'graceful';
  }

  async powerOff(name: string): Promise<void> {
    const machine = this.#machine(name);
    machine.running = false;
    machine.keyVolume = undefined;
  }

  async reset(name: string): Promise<void> {
    this.#record(`reset ${name}`);
  }

  async status(name: string): Promise<VmStatus> {
    const { running, keyVolume } = this.#machine(name);
    return {
      name,
      power: running ? 'running' : 'stopped',
      processId: running ? 4711 : null,
      accelerator: running ? 'tcg' : null,
      sshPort: running ? 2222 : null,
      keyVolumeAttached: keyVolume !== undefined,
      startedAt: running ? '2026-01-01T00:00:00Z' : null,
    };
  }

  async watch(listener: (event: VmEvent) => void): Promise<Disposable> {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** The VM does something by itself. */
  happens(event: VmEvent): void {
    if (event.kind === 'stopped') {
      const machine = this.#machine(event.name);
      machine.running = false;
      machine.keyVolume = undefined;
    }
    for (const listener of this.#listeners) listener(event);
  }

  keyVolumeOf(name: string): Uint8Array {
    return this.#machine(name).keyVolume?.bytes ?? new Uint8Array();
  }

  get watchers(): number {
    return this.#listeners.size;
  }

  async attachKeyVolume(name: string, image: SecretBytes): Promise<void> {
    this.#record(`attachKeyVolume ${name}`);
    this.#machine(name).keyVolume = SecretBytes.copy(image.bytes);
  }

  async detachKeyVolume(name: string): Promise<void> {
    this.#record(`detachKeyVolume ${name}`);
    this.#machine(name).keyVolume = undefined;
  }

  async attachDataDisk(): Promise<DataDisk> {
    return diskOf(0, 1, 'data0');
  }

  async detachDataDisk(): Promise<void> {}

  consolePath(name: string): string {
    return `/machines/${name}/console.log`;
  }

  consoleSocketPath(name: string): string {
    return `/machines/${name}/console.sock`;
  }

  async sshArguments(name: string): Promise<readonly string[]> {
    return ['-p', '2222', `root@${name}`];
  }

  #record(call: string): void {
    this.calls.push(call);
    const { failNext } = this;
    if (failNext === undefined || !call.startsWith(failNext.call)) return;
    this.failNext = undefined;
    throw failNext.error;
  }

  #machine(name: string): Machine {
    const machine = this.#machines.get(name);
    if (machine === undefined)
      throw new KannukiError('KNK-CMD-0001', { details: { program: 'host', result: name, detail: '' } });
    return machine;
  }
}

function diskOf(lun: number, sizeBytes: number, serial = `data${lun}`): DataDisk {
  return { path: `/disks/${serial}`, sizeBytes, serial, lun };
}
