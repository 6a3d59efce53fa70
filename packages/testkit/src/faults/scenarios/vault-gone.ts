import { labInput, labResult } from '../../lab/inside.ts';
import { DyingVault, type WayOfDying } from '../dying-vault.ts';
import { type Attempt, type Ending, FaultVm, type FaultVmInput } from '../fault-vm.ts';

/**
 * Inside a lab machine: during each operation the vault goes away at its first call, then at its second, and so on. Once that has
 * brought the operation a step further, the count begins again: so each call of each step is one that fails.
 */
export interface VaultGoneInput extends FaultVmInput {
  readonly operations: readonly string[];
  readonly dies: WayOfDying;
  /** 1: each call fails once; 3: each third one does. */
  readonly every: number;
}

export interface VaultGoneResult {
  readonly attempts: readonly Attempt[];
  readonly endings: readonly Ending[];
}

const input = await labInput<VaultGoneInput>();
const vm = await FaultVm.make(input);
const attempts: Attempt[] = [];
const endings: Ending[] = [];
for (const operation of input.operations) {
  await vm.prepareFor(operation);
  let step: string | null = null;
  for (let atCall = 1; ; atCall += input.every) {
    const vault = new DyingVault(await vm.vault(), input.dies, atCall);
    const attempt = await vm.attempt(operation, () => `call ${atCall}, ${vault.lastCall}`, { vault });
    if (!vault.wasReached) break;
    attempts.push(attempt);
    if (attempt.code === null) break;
    if (attempt.step !== step) atCall = 1 - input.every;
    step = attempt.step;
  }
  if (operation === 'format') vm.forgetFiles();
  endings.push(await vm.judgeEnding(operation));
}
labResult({ attempts, endings } satisfies VaultGoneResult);
