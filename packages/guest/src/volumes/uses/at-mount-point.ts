import type { Run } from '@kannuki/core';
import { mountedDeviceNumber, unmountVolume } from '../mounting.ts';
import { unitsInTheWay } from '../open-files.ts';

/** What every file system has in common that is mounted at one place, whatever becomes of its content. */
export abstract class AtMountPoint {
  /** The mount point, which is also what people call the volume. */
  readonly name: string;
  readonly wasInUse = true;

  constructor(point: string) {
    this.name = point;
  }

  async isInUse(run: Run): Promise<boolean> {
    return (await mountedDeviceNumber(run, this.name)) !== undefined;
  }

  leave(run: Run): Promise<boolean> {
    return unmountVolume(run, this.name);
  }

  unitsInTheWay(run: Run): Promise<readonly string[]> {
    return unitsInTheWay(this.name, run);
  }

  leaveByHand(): string {
    return `umount ${this.name}`;
  }
}
