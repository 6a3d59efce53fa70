import type { SecretBytes } from '@kannuki/core';

/** A VM image that this host can boot. */
export interface Image {
  /** Short name, e.g. `debian-12`. */
  readonly name: string;
  /** `PUBLISHER:OFFER:SKU:VERSION` as support checks and ARM show it. */
  readonly urn: string;
  /** Raw image file; machines boot from a copy-on-write overlay of it, so it is never written. */
  readonly path: string;
  readonly fileName: string;
  readonly format: 'raw';
  readonly sizeBytes: number;
  /** SHA-256 of the image file, hex. */
  readonly sha256: string;
  /** ISO 8601. */
  readonly builtAt: string;
  /** Hash over everything the image was built from; equal inputs are not built twice. */
  readonly inputsSha256: string;
}

export interface BuildProgress {
  /** `prepare`, `packages`, `configure`, `file-systems`, `boot-loader`, `checksum`. */
  readonly step: BuildStep;
  /** One line of the tool that works, for people; not to be parsed. */
  readonly detail: string;
}

export type BuildStep = 'prepare' | 'packages' | 'configure' | 'file-systems' | 'boot-loader' | 'checksum';

export interface BuildOptions {
  readonly onProgress?: (progress: BuildProgress) => void;
  readonly signal?: AbortSignal;
  /** Builds again although an image with the same inputs is there. */
  readonly force?: boolean;
  /** Arguments of the VM's kernel, after the image's own; letters, digits and `_.,=:/-` only. */
  readonly kernelArguments?: readonly string[];
}

/**
 * What the guest is told at each start without any disk being touched. The files appear in the VM as
 * `/run/kannuki/provision/NAME`, mode 0400, owner root, on a tmpfs. Names: `[a-z0-9][a-z0-9.-]{0,40}`.
 * Names the image itself acts on: `host-name`, `authorized-keys` (both set by the host unless given here).
 * Names the agent acts on: `server-url`, `authority.pem`, `join-token`.
 */
export type ProvisionFiles = Readonly<Record<string, string | Uint8Array>>;

export interface DataDiskSpec {
  readonly sizeBytes: number;
  /** `/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_SERIAL` in the VM; `[A-Za-z0-9-]{1,20}`; default `data0`, `data1`, … */
  readonly serial?: string;
  /** Raw disk that the new one starts as a copy of; not larger than `sizeBytes`. Default: all zeroes. */
  readonly copyOf?: string;
}

export interface VmSpec {
  /** Unique on this host; `[A-Za-z0-9][A-Za-z0-9_.-]{0,63}`. */
  readonly name: string;
  /** Name of an image of `listImages`. */
  readonly image: string;
  readonly memoryMiB: number;
  readonly cpus: number;
  readonly dataDisks: readonly DataDiskSpec[];
  /** Kept on this host's disk and given at every start, so nothing secret: tokens go to `StartOptions.provision`. */
  readonly provision?: ProvisionFiles;
}

export interface StartOptions {
  /**
   * Image of the key volume (a whole vfat file system). It is copied into RAM that has no name in any file system
   * and the caller may wipe its bytes as soon as the call returns.
   */
  readonly keyVolume?: SecretBytes;
  /** One-time values such as the join token: they reach the VM through RAM only. Wins over `VmSpec.provision`. */
  readonly provision?: ProvisionFiles;
}

export type PowerState = 'stopped' | 'running' | 'paused';

export interface VmStatus {
  readonly name: string;
  readonly power: PowerState;
  readonly processId: number | null;
  readonly accelerator: Accelerator | null;
  /** TCP port on 127.0.0.1 that leads to the VM's port 22. */
  readonly sshPort: number | null;
  readonly keyVolumeAttached: boolean;
  /** ISO 8601; start of the process that runs now. */
  readonly startedAt: string | null;
}

export type Accelerator = 'kvm' | 'tcg';

export interface VmDescription {
  readonly name: string;
  readonly image: string;
  readonly memoryMiB: number;
  readonly cpus: number;
  readonly dataDisks: readonly DataDisk[];
}

/** What a running VM did by itself. */
export type VmEvent =
  /** Cold boot within the same process, by the VM's own reboot or by `reset`: it will look for its key volume again. */
  | { readonly name: string; readonly kind: 'reset'; readonly byGuest: boolean }
  /** The process is gone: shut down, powered off or crashed. */
  | { readonly name: string; readonly kind: 'stopped' };

export interface DataDisk {
  /** Raw, sparse file on this host. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly serial: string;
  /** Logical unit on the VM's data controller, as Azure counts them. */
  readonly lun: number;
}

export interface StopOptions {
  /** Time the VM's own shutdown gets before the power goes off. Default 60. */
  readonly timeoutSeconds?: number;
}

/**
 * Runs VMs on this machine. State lives in the data directory and in the running processes themselves: a new
 * Host over the same directory (after a restart of the server) finds every machine again, running ones included.
 * All calls are bounded in time; failures are KannukiError KNK-HST-….
 */
export interface HostPort {
  buildImage(name: string, options?: BuildOptions): Promise<Image>;
  listImages(): Promise<readonly Image[]>;

  createVm(spec: VmSpec): Promise<VmDescription>;
  listVms(): Promise<readonly VmDescription[]>;
  describeVm(name: string): Promise<VmDescription>;
  /** Powers off and removes the VM with its disks. */
  deleteVm(name: string): Promise<void>;

  /** Resolves when the VM's processor runs, not when its system is up. Refused while it runs. */
  start(name: string, options?: StartOptions): Promise<VmStatus>;
  /** Asks the VM to shut down and takes the power away at the end of the time. @returns how it ended */
  stop(name: string, options?: StopOptions): Promise<'graceful' | 'forced'>;
  /** The plug is pulled: nothing is flushed by the VM. */
  powerOff(name: string): Promise<void>;
  /** Reset button: the same process, the same attached volumes, a cold boot. */
  reset(name: string): Promise<void>;
  status(name: string): Promise<VmStatus>;

  /** Hot-plugs a key volume into a running VM, read-only. Refused while one is attached. */
  attachKeyVolume(name: string, image: SecretBytes): Promise<void>;
  /** Takes the key volume out and overwrites its bytes; nothing happens where none is attached. */
  detachKeyVolume(name: string): Promise<void>;

  /**
   * Tells what VMs do by themselves, until the returned thing is disposed. VMs that run already are included.
   * One process at a time can watch a VM.
   */
  watch(listener: (event: VmEvent) => void): Promise<Disposable>;

  /** Makes a new data disk; a running VM sees it at once. */
  attachDataDisk(name: string, disk: DataDiskSpec): Promise<DataDisk>;
  /** Takes a data disk out of the VM; its file stays unless `remove`. */
  detachDataDisk(name: string, serial: string, options?: { readonly remove?: boolean }): Promise<void>;

  /** Text file with what the VM's serial console printed, newest boot last. */
  consolePath(name: string): string;
  /** Unix socket of the serial console, for typing; one client at a time. */
  consoleSocketPath(name: string): string;
  /**
   * Arguments for `ssh` (the program's name not included) that log in as root.
   * @example spawn('ssh', [...(await host.sshArguments('vm1')), 'uname', '-r'])
   */
  sshArguments(name: string): Promise<readonly string[]>;
}
