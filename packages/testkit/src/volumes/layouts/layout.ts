import type { MatrixOperationName } from '../operations.ts';

/** A file system of a layout, and where it is mounted by a line of fstab. */
export interface Place {
  readonly device: string;
  readonly point: string;
  readonly type: 'ext2' | 'ext3' | 'ext4' | 'xfs' | 'btrfs';
  /** Options of fstab; default `defaults,nofail`. */
  readonly options?: string;
}

/** The finding with which an operation has to be refused: its rule, and a piece of its message. */
export interface ExpectedRefusal {
  readonly rule: string;
  readonly says: string;
}

/**
 * What the disks of a VM are made into: one row of the matrix. Used on both sides: the driver takes what it expects, the
 * scenario inside the lab machine makes it.
 */
export interface Layout {
  readonly name: string;
  /** Disks beside the state disk, MiB each; inside they are /dev/ubdb, /dev/ubdc and so on. */
  readonly disksMiB: readonly number[];
  /** Partitions, arrays, file systems. Mounting and filling them is the scenario's. */
  readonly make: () => Promise<void>;
  /** What udev and the boot do with the disks before a volume is unlocked. Default: names of disks and partitions. */
  readonly assemble?: () => Promise<void>;
  /** What the boot does after the volumes are unlocked and before their places are mounted. */
  readonly afterUnlock?: () => Promise<void>;
  readonly places: readonly Place[];
  /** Encrypted in `make`'s stead before anything else is made: for what lies on encrypted disks. */
  readonly encryptedFirst?: readonly Place[];
  /** What is named on the command line, one after the other. Default: the mount points of the places. */
  readonly targets?: readonly string[];
  /** Operations that have to be refused; all others have to be done. */
  readonly refused?: Partial<Record<MatrixOperationName, ExpectedRefusal>>;
  /** Too large to be converted to the end: begun, looked at, and cut. */
  readonly isHuge?: boolean;
  /** The disks are gone with the machine. */
  readonly isVolatile?: boolean;
  /** In the short matrix, which CI runs. */
  readonly inShort?: boolean;
}
