import type { Run } from '@kannuki/core';
import type { VaultPort } from '@kannuki/keyvault';
import type { Cryptsetup } from './cryptsetup.ts';
import type { OnEngineEvent } from './events.ts';
import type { FinishingCheck } from './finishing-check.ts';
import type { Journal } from './journal.ts';
import type { JournalStore } from './journal-store.ts';
import type { Locks } from './locks.ts';
import type { PaceFile } from './pace/pace-file.ts';
import type { WhenPaused } from './pace/pace-keeper.ts';
import type { EnginePaths } from './paths.ts';
import type { ProgressFile } from './progress-file.ts';

/** What every step works with. */
export interface StepContext {
  readonly paths: EnginePaths;
  readonly run: Run;
  readonly cryptsetup: Cryptsetup;
  readonly store: JournalStore;
  readonly locks: Locks;
  /**
   * Descriptor of the volume's lock, held by whoever made this context. Programs that work on the disk for long inherit it: should
   * this process be killed, nobody else works on the volume before they have ended too. null where no lock is needed.
   */
  readonly lock: number | null;
  readonly vault: VaultPort;
  readonly finishingCheck: FinishingCheck;
  readonly progressFile: ProgressFile;
  readonly pace: PaceFile;
  readonly whenPaused: WhenPaused;
  readonly onEvent: OnEngineEvent;
  readonly beforeUnmount: (point: string) => Promise<void>;
  readonly signal: AbortSignal | undefined;
  /** Volumes that this very run has opened, compared and taken into use: they need not be compared again a moment later. */
  readonly opened: Set<string>;
}

/** A step takes the journal as it is and gives it as it is after the step; saving it is the caller's. */
export type Step = (journal: Journal, context: StepContext) => Promise<Journal>;
