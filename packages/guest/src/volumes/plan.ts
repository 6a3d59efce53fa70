import type { Step, StepContext } from './context.ts';
import type { Journal, OperationName } from './journal.ts';

/** One step of a plan, and the name under which its completion is on record. */
export interface PlanStep {
  readonly reaches: string;
  readonly step: Step;
}

/**
 * How an operation takes a volume from its state to the wanted one. Every plan begins at `planned`, which is on record before
 * anything is done, and ends at `finished`.
 */
export interface Plan {
  readonly operation: OperationName;
  readonly steps: readonly PlanStep[];
  /** At these steps the boot opens the volume, or tries to: crypttab says so. */
  readonly isOpenedAtBoot: (step: string) => boolean;
  /** At these steps the volume is in use over its mapping and no other way; before and after, over the plain device. */
  readonly isMapped: (step: string) => boolean;
  /**
   * What lies on the disk at a step, for a header that has to be made anew; `other`: something of which a record of the header
   * does not tell enough, e.g. half one key and half the next.
   */
  readonly onDisk: (step: string) => 'plain' | 'plain-to-cipher' | 'cipher' | 'other';
  /**
   * What takes the operation back after a failure, as long as that is safe; else only going on is. Of an operation on a volume
   * that is encrypted it leaves the journal at `finished` of `madeBy`.
   */
  readonly takeBack: {
    readonly isPossible: (step: string) => boolean;
    readonly run: (journal: Journal, context: StepContext) => Promise<void>;
  };
  /** true: the operation begins and ends with a volume that is encrypted, and no block is plain on the way. */
  readonly encryptedThroughout?: true;
  /** true: the volume is no longer ours at the end, and its journal goes with the last step. */
  readonly endsJournal: boolean;
}

/** `reaches` of every step from one on, in the order of a plan: for the predicates of a plan. */
export function stepsFrom(steps: readonly PlanStep[], first: string): ReadonlySet<string> {
  const names = ['planned', ...steps.map(({ reaches }) => reaches)];
  const index = names.indexOf(first);
  if (index < 0) throw new Error(`no step ${first}`);
  return new Set(names.slice(index));
}
