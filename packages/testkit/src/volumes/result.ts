import type { VolumeState } from '@kannuki/core';
import type { ExpectedRefusal } from './layouts/layout.ts';
import type { MatrixOperationName } from './operations.ts';

/** How the volumes of a row stand between two operations. */
export interface Stage {
  readonly state: Extract<VolumeState, 'NotEncrypted' | 'Encrypted' | 'EncryptionInProgress' | 'DecryptionInProgress'>;
  /** Begun on a layout that is too large, and cut. */
  readonly isUnderway: boolean;
}

/** One operation of a row, where it stands in its run. */
export interface RowStep {
  readonly operation: MatrixOperationName;
  /** false: only done to get to the state that the next one needs. */
  readonly isCell: boolean;
  /** null: it has to be done. */
  readonly refusal: ExpectedRefusal | null;
  /** How the volumes stand after it. */
  readonly leaves: Stage;
}

/** What the driver tells the lab machine. */
export interface CellInput {
  readonly layout: string;
  /** `first`: the layout is made; `again`: the machine has been switched off since, and is to find all as `stage` says. */
  readonly boot: 'first' | 'again';
  readonly stage: Stage;
  readonly steps: readonly RowStep[];
  readonly vaultUrl: string;
  readonly kekId: string;
}

/** One cell of the matrix as it came out. */
export interface Cell {
  readonly operation: MatrixOperationName;
  /** `begun`: the layout is too large to wait for the end; it was cut, and stood as it should after a reboot. */
  readonly result: 'done' | 'begun' | 'refused' | 'FAILED' | 'no entry';
  /** Rule and text of the refusal, or what is wrong. */
  readonly why: string | null;
  readonly seconds: number;
}

/** What a lab machine hands out. */
export interface CellResult {
  readonly cells: readonly Cell[];
  /** What was not as it had to be when the machine was switched on, before any of `cells`. */
  readonly problems: readonly string[];
}
