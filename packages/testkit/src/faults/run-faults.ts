import assert from 'node:assert/strict';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeScratchVm } from '../lab/scratch-vm.ts';
import { runInUml } from '../lab/uml.ts';
import { operationNamed } from '../power-cut/operations.ts';
import { smallVm } from '../power-cut/small-vm.ts';
import type { Attempt, Ending, FaultVmInput } from './fault-vm.ts';

/** Every operation, in an order in which most find the volume as the one before has left it; FaultVm does the rest. */
export const allOperations = [
  'encrypt',
  'rotate-passphrase',
  'rotate-volume-key',
  'decrypt',
  'used-only',
  'format',
] as const;

interface FaultOptions {
  readonly programs?: Readonly<Record<string, string>>;
  readonly memoryMiB?: number;
  /** A second disk of the size of the data volume. */
  readonly otherDisk?: boolean;
}

/** Runs a scenario of this folder in a machine with a fresh volume. */
export async function runFaults<Input extends FaultVmInput, Result>(
  scenario: string,
  extra: Omit<Input, keyof FaultVmInput>,
  { otherDisk = false, ...options }: FaultOptions = {},
): Promise<Result> {
  await using vm = await makeScratchVm(smallVm);
  const other = join(vm.folder, 'other.img');
  writeFileSync(other, '');
  truncateSync(other, smallVm.dataMiB * 1024 * 1024);
  return await runInUml<Result>({
    scenario: join(import.meta.dirname, 'scenarios', scenario),
    input: { vm: smallVm, vaultUrl: vm.vaultUrl, kekId: vm.kekId, ...extra },
    disks: otherDisk ? [vm.disk, other] : [vm.disk],
    keep: vm.keep,
    memoryMiB: 512,
    timeoutSeconds: 600,
    ...options,
  });
}

/** With the fault still there the volume is in use, and every file is as it was. */
export function assertNothingLost(attempts: readonly Attempt[]): void {
  for (const { operation, where, step, isMounted, damaged } of attempts) {
    // From there on a format has given the old volume up, until the new one is mounted.
    if (operation === 'format' && isGivenUp(step)) continue;
    assert.deepEqual({ isMounted, damaged }, { isMounted: true, damaged: [] }, `${operation}, ${where}`);
  }
}

function isGivenUp(step: string | null): boolean {
  const { steps } = operationNamed('format');
  return step !== null && steps.indexOf(step) >= steps.indexOf('let-go');
}

export function assertEndings(endings: readonly Ending[], operations: readonly string[]): void {
  assert.deepEqual(
    endings,
    operations.map((operation) => ({ operation, wrongs: [] })),
  );
}
