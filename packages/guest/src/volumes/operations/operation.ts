import type { Run } from '@kannuki/core';
import type { BlockDevice } from '../../facts/model.ts';
import type { ChosenTuning } from '../../tuning/choose-tuning.ts';
import type { StepContext } from '../context.ts';
import type { Journal, OperationName } from '../journal.ts';

/** What a new volume is planned with. */
export interface PlanRequest {
  readonly target: string;
  readonly stopServices: boolean;
  readonly run: Run;
  readonly vaultUri: string;
  readonly kekId: string | null;
  readonly keyVolumeUuid: string | null;
  /** Volumes that are encrypted already: their names and key files have to differ. */
  readonly journals: readonly Journal[];
  /** Asked only when no check refuses: it may measure for seconds. */
  readonly tuningOf: (device: BlockDevice) => Promise<ChosenTuning>;
}

/** A way to make an encrypted volume of a plain one. */
export interface Encryption {
  readonly operation: OperationName;
  /** Other operations that this one goes on with when they were begun and cut: they lead to the same end. */
  readonly alsoGoesOnWith?: readonly OperationName[];
  /**
   * Checks the target and makes the journal that the operation begins with, at step `planned`. Changes nothing.
   * @throws KannukiError KNK-VOL-0006 with all findings when a check refuses, or what reading the facts throws
   */
  plan(request: PlanRequest): Promise<Journal>;
}

/** Something that is done to a volume that is encrypted already. */
export interface Operation {
  readonly name: OperationName;
  /**
   * Checks the volume and gives its journal with what the operation needs to know; the engine puts name and step in. Changes nothing.
   * @throws KannukiError when a check refuses
   */
  begin(journal: Journal, context: StepContext): Promise<Journal>;
}
