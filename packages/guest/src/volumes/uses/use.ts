import type { Run } from '@kannuki/core';
import type { BootEntries } from '../../boot/boot-entries.ts';

/**
 * How the machine lets go of a volume and takes it up again: what every operation does around the short time in which the
 * device below changes. Each kind of use is a file beside this one.
 */
export interface Use {
  /** What people call the volume, e.g. its mount point. */
  readonly name: string;
  /** What `disk list` shows as its file system, e.g. `ext4`. */
  readonly contentType: string;
  /** What `probe` has to say of a device for it to be this volume's. */
  readonly wanted: string;
  /** Whether the machine uses the volume now, over whatever device. */
  isInUse(run: Run): Promise<boolean>;
  /** Lets go. @returns false when it stayed busy; then it is in use as before */
  leave(run: Run): Promise<boolean>;
  /** Takes the volume up from this device. */
  enter(device: string, run: Run): Promise<void>;
  /** What a device holds, as far as it tells this volume from another; undefined when it holds nothing known. */
  probe(device: string, run: Run): Promise<string | undefined>;
  /** Whether the machine used it when the operation began, so that a failure brings it back. */
  readonly wasInUse: boolean;
  /** Makes what a device of this use holds when there is nothing to keep. Not for what holds files of people. */
  makeAnew(device: string, run: Run): Promise<void>;
  /** Units that keep the volume busy at this moment and may be stopped, their triggers first. */
  unitsInTheWay(run: Run): Promise<readonly string[]>;
  /** What the next boot needs to know of the volume once it is encrypted. */
  bootEntries(mapper: string): BootEntries;
  /** The command with which a person with stock tools takes it up from a device, and the one that lets go. */
  enterByHand(device: string): string;
  leaveByHand(): string;
}
