import { BareDevice, type BareUse, isBareUse } from './bare.ts';
import { isMountUse, MountedFileSystem, type MountUse } from './mount.ts';
import { isPhysicalVolumeUse, PhysicalVolume, type PhysicalVolumeUse } from './physical-volume.ts';
import { isSwapUse, SwapSpace, type SwapUse } from './swap.ts';
import { isTemporaryUse, TemporaryFileSystem, type TemporaryUse } from './temporary.ts';
import type { Use } from './use.ts';

/** What a volume is for, as its journal has it. */
export type VolumeUse = MountUse | PhysicalVolumeUse | BareUse | SwapUse | TemporaryUse;

export function useOf({ use }: { readonly use: VolumeUse }): Use {
  switch (use.kind) {
    case 'mount':
      return new MountedFileSystem(use);
    case 'physical-volume':
      return new PhysicalVolume(use);
    case 'bare':
      return new BareDevice(use);
    case 'swap':
      return new SwapSpace(use);
    case 'temporary':
      return new TemporaryFileSystem(use);
  }
}

/** For a journal that was read. */
export function isUse(use: unknown): use is VolumeUse {
  return isMountUse(use) || isPhysicalVolumeUse(use) || isBareUse(use) || isSwapUse(use) || isTemporaryUse(use);
}
