import { isMountUse, MountedFileSystem, type MountUse } from './mount.ts';
import { isSwapUse, SwapSpace, type SwapUse } from './swap.ts';
import { isTemporaryUse, TemporaryFileSystem, type TemporaryUse } from './temporary.ts';
import type { Use } from './use.ts';

/** What a volume is for, as its journal has it. */
export type VolumeUse = MountUse | SwapUse | TemporaryUse;

export function useOf({ use }: { readonly use: VolumeUse }): Use {
  switch (use.kind) {
    case 'mount':
      return new MountedFileSystem(use);
    case 'swap':
      return new SwapSpace(use);
    case 'temporary':
      return new TemporaryFileSystem(use);
  }
}

/** For a journal that was read. */
export function isUse(use: unknown): use is VolumeUse {
  return isMountUse(use) || isSwapUse(use) || isTemporaryUse(use);
}
