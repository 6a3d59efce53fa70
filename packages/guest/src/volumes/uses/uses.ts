import { BareDevice, type BareUse, isBareUse } from './bare.ts';
import { isMountUse, MountedFileSystem, type MountUse } from './mount.ts';
import { isPhysicalVolumeUse, PhysicalVolume, type PhysicalVolumeUse } from './physical-volume.ts';
import type { Use } from './use.ts';

/** What a volume is for, as its journal has it. */
export type VolumeUse = MountUse | PhysicalVolumeUse | BareUse;

export function useOf({ use }: { readonly use: VolumeUse }): Use {
  switch (use.kind) {
    case 'mount':
      return new MountedFileSystem(use);
    case 'physical-volume':
      return new PhysicalVolume(use);
    case 'bare':
      return new BareDevice(use);
  }
}

/** For a journal that was read. */
export function isUse(use: unknown): use is VolumeUse {
  return isMountUse(use) || isPhysicalVolumeUse(use) || isBareUse(use);
}
