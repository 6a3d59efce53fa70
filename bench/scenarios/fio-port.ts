import type { SmallVm } from '../../packages/testkit/src/power-cut/small-vm.ts';

/** What goes into the scenario fio.ts and what comes out of it. */
export interface FioInput {
  readonly vm: SmallVm;
  readonly vaultUrl: string;
  readonly kekId: string;
  readonly rounds: number;
  readonly secondsEach: number;
}

export const fioWorkloads = ['randread', 'randwrite', 'read', 'write'] as const;
export type FioWorkload = (typeof fioWorkloads)[number];

export interface FioResult {
  /** Bytes a second, one a round; both sides of a round ran one right after the other. */
  readonly ours: Readonly<Record<FioWorkload, readonly number[]>>;
  readonly rival: Readonly<Record<FioWorkload, readonly number[]>>;
  /** The kernel's tables without key, for the record. */
  readonly tables: { readonly ours: string; readonly rival: string };
}
