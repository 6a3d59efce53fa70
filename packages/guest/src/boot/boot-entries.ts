import type { UnitFile } from './units.ts';

/** What a use of an encrypted volume asks of the next boot, beside the line in crypttab that every volume has. */
export interface BootEntries {
  /** Its line in our own file of mounts; null when it has none. */
  readonly mountsLine: string | null;
  readonly units: readonly UnitFile[];
  /** Units for the time of a conversion only. */
  readonly conversionUnits: readonly UnitFile[];
  /** Lines of fstab that must not act any more, and what stands in their place meanwhile. */
  readonly fstab: readonly { readonly original: string; readonly moved: string }[];
  /** Lasting name of the raw device, where LVM must not see what it seems to hold. */
  readonly hiddenFromLvm?: string;
}
