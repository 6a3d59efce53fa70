import type { MatrixOperationName } from '../operations.ts';

/** A file system of a layout, and where it is mounted by a line of fstab. */
export interface Place {
  readonly device: string;
  readonly point: string;
  readonly type: 'ext2' | 'ext3' | 'ext4' | 'xfs' | 'btrfs';
  /** Options of fstab; default `defaults,nofail`. */
  readonly options?: string;
}

/** The finding with which an operation has to be refused: its rule (or the code of the error), and a piece of its message. */
export interface ExpectedRefusal {
  readonly rule: string;
  readonly says: string;
}

export type ExpectedRefusals = Partial<Record<MatrixOperationName, ExpectedRefusal>>;

/**
 * What the disks of a VM are made into: one row of the matrix. Used on both sides: the driver takes what it expects, the
 * scenario inside the lab machine makes it.
 */
export interface Layout {
  readonly name: string;
  /** Disks beside the state disk, MiB each; inside they are /dev/ubdb, /dev/ubdc and so on. */
  readonly disksMiB: readonly number[];
  /** The disks are on the virtio bus, /dev/vda and so on, with sectors of this size. */
  readonly virtioSectorBytes?: 512 | 4096;
  /** Partitions, arrays, file systems. Mounting and filling them is the scenario's. */
  readonly make: () => Promise<void>;
  /** Once the places are mounted and hold their files. */
  readonly afterFill?: () => Promise<void>;
  /** What udev and the boot do with the disks before a volume is unlocked. Default: names of disks and partitions. */
  readonly assemble?: () => Promise<void>;
  /** What the boot does after the volumes are unlocked and before their places are mounted. */
  readonly afterUnlock?: () => Promise<void>;
  readonly places: readonly Place[];
  /** Devices that are swapped to, each with a line of fstab. */
  readonly swaps?: readonly string[];
  /** A disk without a file system: its first one is made by the format, and `places` tells where. */
  readonly blank?: { readonly mountPoint: string; readonly fileSystem: 'ext4' | 'xfs' };
  /** Encrypted in `make`'s stead before anything else is made: for what lies on encrypted disks. */
  readonly encryptedFirst?: readonly Place[];
  /** What is named on the command line, one after the other. Default: the mount points of the places, and the swap devices. */
  readonly targets?: readonly string[];
  /** Of operations that begin with a plain volume, where they have another name for it. */
  readonly plainTargets?: readonly string[];
  /** Of what becomes larger with its disk: only the last partition does, and the first volume of a group that is asked. */
  readonly growTargets?: readonly string[];
  /** Operations that have to be refused; all others have to be done. */
  readonly refused?: ExpectedRefusals;
  /** In which order the operations are tried. Default: first what a plain volume refuses, then as the columns stand. */
  readonly order?: readonly MatrixOperationName[];
  /** Too large to be converted to the end: begun, cut, and looked at after a reboot. */
  readonly isHuge?: boolean;
  /** The disks are gone with the machine, so there is no reboot. */
  readonly isVolatile?: boolean;
  /** The temporary disk of a VM: its files need not outlive an encryption, and not a boot after it. */
  readonly isTemporary?: boolean;
  /** In the short matrix, which CI runs. */
  readonly inShort?: boolean;
}

/** What an operation is to be tried on: what lies on encrypted disks is plain, rotated are the disks below. */
export function targetsOf(layout: Layout, needs: 'plain' | 'encrypted' | 'any'): readonly string[] {
  const { targets, plainTargets, growTargets, places, swaps = [], encryptedFirst } = layout;
  if (needs === 'any' && growTargets !== undefined) return growTargets;
  if (needs === 'plain' && plainTargets !== undefined) return plainTargets;
  if (needs === 'encrypted' && encryptedFirst !== undefined) return encryptedFirst.map(({ point }) => point);
  return targets ?? [...places.map(({ point }) => point), ...swaps];
}
