import type { KeyModule } from '../service/key-module.ts';
import type { KeyWork } from './key-work/key-work.ts';
import type { ObjectChanges } from './object-changes.ts';
import type { VaultStore } from './vault-store.ts';

/** What the vaults of one database share. */
export interface VaultContext {
  readonly store: VaultStore;
  readonly changes: ObjectChanges;
  readonly work: KeyWork;
  /** Where HSM-protected keys live; not every installation has one. */
  readonly module: KeyModule | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}
