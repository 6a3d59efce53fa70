import { isMountUse, MountedFileSystem, type MountUse } from './mount.ts';
import type { Use } from './use.ts';

/** What a volume is for, as its journal has it. */
export type VolumeUse = MountUse;

export function useOf({ use }: { readonly use: VolumeUse }): Use {
  return new MountedFileSystem(use);
}

/** For a journal that was read. */
export function isUse(use: unknown): use is VolumeUse {
  return isMountUse(use);
}
