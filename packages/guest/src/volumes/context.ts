import type { Run } from '@kannuki/core';
import type { VaultPort } from '@kannuki/keyvault';
import type { Cryptsetup } from './cryptsetup.ts';
import type { OnEngineEvent } from './events.ts';
import type { FinishingCheck } from './finishing-check.ts';
import type { Journal, JournalStore } from './journal.ts';
import type { EnginePaths } from './paths.ts';
import type { ProgressFile } from './progress-file.ts';

/** What every step works with. */
export interface StepContext {
  readonly paths: EnginePaths;
  readonly run: Run;
  readonly cryptsetup: Cryptsetup;
  readonly store: JournalStore;
  readonly vault: VaultPort;
  readonly finishingCheck: FinishingCheck;
  readonly progressFile: ProgressFile;
  readonly onEvent: OnEngineEvent;
  readonly beforeUnmount: (point: string) => Promise<void>;
  readonly signal: AbortSignal | undefined;
  /** Volumes that this very run has opened, compared and mounted: they need not be compared again a moment later. */
  readonly opened: Set<string>;
}

/** A step takes the journal as it is and gives it as it is after the step; saving it is the caller's. */
export type Step = (journal: Journal, context: StepContext) => Promise<Journal>;
