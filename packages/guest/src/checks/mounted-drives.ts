import type { Finding } from '@kannuki/core';
import type { GuestFacts } from '../facts/model.ts';
import { volumesOfType } from '../targets/targets.ts';
import { checkMounted } from './mounts.ts';

/** One row of what lsblk shows after `mount -a`: a data drive, and where it is mounted. */
export interface DataDrive {
  readonly device: string;
  /** null: not mounted, though it may be meant to be. */
  readonly mountPoint: string | null;
  /** Where fstab wants it; null when fstab does not know it. */
  readonly wantedPoint: string | null;
}

/** Data drives with a file system and where they are mounted now (REQ-046). */
export function dataDrives(facts: GuestFacts): readonly DataDrive[] {
  return volumesOfType(facts, 'DATA')
    .filter(({ device, mount }) => mount !== null || device.signature?.usage === 'filesystem')
    .map(({ device, mount, fstab }) => ({
      device: device.path,
      mountPoint: mount?.point ?? null,
      wantedPoint: fstab?.entry?.point ?? null,
    }));
}

/** Drives that fstab names and that are not mounted: what `mount -a` has failed to do (REQ-045, REQ-046, REQ-047). */
export function checkMountedDrives(facts: GuestFacts): readonly Finding[] {
  return volumesOfType(facts, 'DATA')
    .filter(({ fstab }) => fstab?.entry !== null && fstab !== null)
    .flatMap((volume) => checkMounted(facts, volume));
}
