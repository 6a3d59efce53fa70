import type { MatrixOperationName } from './operations.ts';

/** What the driver tells the lab machine. */
export interface CellInput {
  readonly layout: string;
  readonly operations: readonly MatrixOperationName[];
  /** `first`: the layout is made and worked on; `again`: the machine has been switched off since, and is to find all as it was. */
  readonly boot: 'first' | 'again';
  readonly vaultUrl: string;
  readonly kekId: string;
}

/** One cell of the matrix as it came out. */
export interface Cell {
  readonly operation: MatrixOperationName;
  readonly result: 'done' | 'refused' | 'FAILED' | 'no entry';
  /** Rule and text of the refusal, or what is wrong. */
  readonly why: string | null;
  readonly seconds: number;
}

/** What a lab machine hands out. */
export interface CellResult {
  readonly cells: readonly Cell[];
  /** Of a boot: what was not as it had to be. */
  readonly problems: readonly string[];
}
