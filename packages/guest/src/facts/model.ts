/**
 * What is true of this machine now, as far as the checks need to know. Facts are plain data: they are read once, without
 * changing anything, and checks are pure functions over them. All sizes are bytes. `null` means: the machine says none.
 */
export interface GuestFacts {
  readonly operatingSystem: OperatingSystem;
  readonly memory: MemoryFact;
  readonly devices: readonly BlockDevice[];
  readonly physicalVolumes: readonly PhysicalVolumeFact[];
  /** LVM takes only devices of its devices file, lvmdevices(8), and no filter has a say. */
  readonly lvmUsesDevicesFile: boolean;
  /** All mounts of our mount namespace, in the kernel's order: of two at one place the later one is visible. */
  readonly mounts: readonly MountFact[];
  /** File systems of block devices that other mount namespaces (containers) hold by themselves. */
  readonly foreignMounts: readonly ForeignMount[];
  readonly swaps: readonly SwapFact[];
  readonly loops: readonly LoopFact[];
  readonly fstab: readonly FstabFact[];
  readonly crypttab: readonly CrypttabFact[];
  readonly modules: readonly ModuleFact[];
  readonly spaces: readonly SpaceFact[];
  readonly cryptsetup: CryptsetupFact | null;
  readonly openFiles: readonly OpenFileUser[];
  /** Processes that could not be looked into; one of them may have files open all the same. */
  readonly hiddenProcesses: readonly number[];
}

/** os-release(5). */
export interface OperatingSystem {
  readonly id: string;
  readonly versionId: string | null;
  readonly prettyName: string;
}

/** /proc/meminfo. */
export interface MemoryFact {
  readonly totalBytes: number;
  readonly availableBytes: number;
}

/** `MAJOR:MINOR` in decimal, as mountinfo and sysfs write it. */
export type DeviceNumber = string;

export interface BlockDevice {
  /** The kernel's name, `sdc1`, `dm-0`: the key of a device in these facts. */
  readonly kernelName: string;
  /** `/dev/sdc1`, `/dev/mapper/vg-lv`. */
  readonly path: string;
  readonly number: DeviceNumber;
  /** lsblk's word: disk, part, lvm, crypt, raid0, raid1, …, loop, rom, dm, mpath. */
  readonly type: string;
  readonly sizeBytes: number;
  readonly readOnly: boolean;
  readonly removable: boolean;
  /** Kernel names of the devices that this one lies on; several for RAID and LVM. */
  readonly parents: readonly string[];
  /** Kernel names of the devices on top of this one: partitions and holders. */
  readonly children: readonly string[];
  readonly logicalSectorBytes: number;
  readonly physicalSectorBytes: number;
  /** 0 when the device cannot discard. */
  readonly discardBytes: number;
  readonly serial: string | null;
  readonly model: string | null;
  readonly partitionUuid: string | null;
  readonly partitionLabel: string | null;
  readonly partitionType: string | null;
  /** Links below /dev/disk that lead here, by-uuid and by-label included. */
  readonly links: readonly string[];
  /** What the first bytes say, read from the device itself and not from udev's memory of it. */
  readonly signature: Signature | null;
  /** Only for ext2, ext3, ext4, XFS and btrfs. */
  readonly fileSystem: FileSystemFact | null;
}

/** One result of `blkid --probe`. */
export interface Signature {
  /** filesystem, raid (also LVM), crypto, other (swap); `ambiguous` when the device shows several, and then all else is empty. */
  readonly usage: string;
  readonly type: string;
  readonly version: string | null;
  readonly uuid: string | null;
  readonly label: string | null;
}

/** A physical volume of LVM that is seen on a device. */
export interface PhysicalVolumeFact {
  /** Kernel name. */
  readonly device: string;
  readonly uuid: string;
  /** LVM sees it on another device too. */
  readonly isDuplicate: boolean;
  /** null when it belongs to no group. */
  readonly group: VolumeGroupFact | null;
}

export interface VolumeGroupFact {
  readonly name: string;
  readonly uuid: string;
  /** Physical volumes of the group that are not there. */
  readonly missingCount: number;
  /** Exported, or shared with other machines. */
  readonly isElsewhere: boolean;
}

/** What a superblock says of the units in which its file system reads and writes. */
export interface FileSystemFact {
  readonly blockBytes: number;
  /** Smallest unit of I/O: a device below it must not have larger logical sectors. */
  readonly sectorBytes: number;
  /** Journal, log, real-time data or a part of the data lie on another device, so that this device is only a part of the volume. */
  readonly hasOtherDevices: boolean;
}

/** A line of /proc/self/mountinfo, proc_pid_mountinfo(5). */
export interface MountFact {
  readonly id: number;
  readonly parentId: number;
  readonly number: DeviceNumber;
  /** Folder of the file system that is mounted here: `/`, else it is a bind mount or a subvolume. */
  readonly root: string;
  readonly point: string;
  /** Options of this mount and of the file system together. */
  readonly options: readonly string[];
  readonly fileSystem: string;
  readonly source: string;
  /** Peer group that this mount shares its changes with; mount_namespaces(7). */
  readonly sharedGroup: number | null;
  /** Peer group that this mount takes changes from. */
  readonly masterGroup: number | null;
}

/** A mount in another namespace that stays when ours goes, and so keeps the device busy. */
export interface ForeignMount {
  readonly number: DeviceNumber;
  readonly point: string;
  /** A process in that namespace, to find its container by. */
  readonly pid: number;
  readonly command: string;
  readonly unit: UnitFact | null;
}

export interface SwapFact {
  /** Device or file. */
  readonly path: string;
  readonly kind: 'partition' | 'file';
}

/** A loop device and the file below it. */
export interface LoopFact {
  readonly kernelName: string;
  readonly file: string;
}

/** One line of fstab(5) that is not a comment. */
export interface FstabFact {
  /** From 1. */
  readonly lineNumber: number;
  /** The line as it is, without its newline. */
  readonly line: string;
  /** null when the line is no entry: then the fields below are empty. */
  readonly entry: FstabEntry | null;
}

/** Fields with their octal escapes taken away. */
export interface FstabEntry {
  readonly source: string;
  readonly point: string;
  readonly fileSystem: string;
  readonly options: readonly string[];
  readonly dump: number;
  readonly pass: number;
  /** How many fields the line really has; fstab(5) lets the last ones be left out. */
  readonly fieldCount: number;
  /** Kernel name of the device that `source` names now; null when it names none. */
  readonly device: string | null;
  /** The mount point without symbolic links, as the kernel will name it; `point` itself while it does not exist. */
  readonly realPoint: string;
  /** Whether the mount point exists and is a folder. */
  readonly pointExists: boolean;
}

export interface CrypttabFact {
  readonly lineNumber: number;
  readonly mapper: string;
  readonly device: string;
  readonly options: readonly string[];
}

export interface ModuleFact {
  readonly name: 'dm_crypt' | 'vfat';
  readonly state: 'loaded' | 'built-in' | 'loadable' | 'missing';
  /** The setting that keeps it from being loaded, with its file, also when it is loaded now; null when none does. */
  readonly blockedBy: string | null;
}

/** Free space for root at a folder, or at the nearest parent that exists. */
export interface SpaceFact {
  readonly path: string;
  readonly freeBytes: number;
  /** null where the file system has no fixed number of them. */
  readonly freeInodes: number | null;
  readonly readOnly: boolean;
}

export interface CryptsetupFact {
  /** Major, minor, patch; null when the program does not say its version in the way it always has. */
  readonly version: readonly [number, number, number] | null;
  /** Version of the distribution's package, which may carry a fix that the program's version does not show. */
  readonly packageVersion: string | null;
}

/** A process that keeps a file system from being unmounted. */
export interface OpenFileUser {
  readonly number: DeviceNumber;
  readonly pid: number;
  /** /proc/PID/comm. */
  readonly command: string;
  readonly unit: UnitFact | null;
  /** Some of the paths, for people. */
  readonly paths: readonly string[];
}

/** A systemd unit that owns processes. */
export interface UnitFact {
  readonly name: string;
  /** UnitFileState: enabled, disabled, static, generated, …; empty when systemd does not know. */
  readonly fileState: string;
  /** A service of the system manager that may be stopped for a moment and started again. */
  readonly canBeStopped: boolean;
  /** Sockets, timers and paths that would start it again by themselves. */
  readonly triggeredBy: readonly string[];
}

/** A file system on a block device, and where it belongs: what a TARGET of the command line means. */
export interface Volume {
  readonly device: BlockDevice;
  /** The mount that people see; null when it is not mounted. */
  readonly mount: MountFact | null;
  readonly fstab: FstabFact | null;
}
