import { labInput, labResult } from '../../lab/inside.ts';
import { operationNamed } from '../../power-cut/operations.ts';
import { prepareBehaviours, setBehaviour } from '../disk-behaviour.ts';
import { type Attempt, type Ending, FaultVm, type FaultVmInput } from '../fault-vm.ts';
import { endOfOrphans, runWorker } from '../run-worker.ts';

/**
 * Inside a lab machine: each operation is done by a process of its own that is killed with SIGKILL right after its first step; the next
 * process goes on, and is killed after the next step; and once in the middle of each conversion. Nothing is rebooted.
 */
export interface KilledInput extends FaultVmInput {
  readonly operations: readonly string[];
}

export interface KilledResult {
  readonly attempts: readonly Attempt[];
  /** What a run says that comes while the cryptsetup of a killed one still works. */
  readonly besideTheOrphan: readonly string[];
  readonly endings: readonly Ending[];
}

const input = await labInput<KilledInput>();
const vm = await FaultVm.make(input);
await prepareBehaviours();
const attempts: Attempt[] = [];
const endings: Ending[] = [];
const besideTheOrphan: string[] = [];
for (const name of input.operations) {
  await vm.prepareFor(name);
  const { steps, conversion } = operationNamed(name);
  const places = steps.flatMap((step) => (step === conversion?.after ? [step, 'progress'] : [step]));
  for (const place of places) {
    // So that the conversion is still under way when it is looked at.
    if (place === 'progress') await setBehaviour(input.vm, 'vm-data', { kind: 'slow', milliseconds: 100 });
    const { code, signal } = await runWorker(vm, { ...input, operation: name, dieAt: place, dieOf: 'SIGKILL' });
    if (signal !== 'SIGKILL') throw new Error(`the worker for ${name}, ${place}, ended with ${code ?? signal}`);
    if (place === 'progress') {
      besideTheOrphan.push((await vm.attempt(name, () => place)).code ?? 'nothing');
      await setBehaviour(input.vm, 'vm-data', { kind: 'healthy' });
    }
    await endOfOrphans();
    attempts.push({ operation: name, where: place, code: null, message: '', ...(await vm.look()) });
  }
  if (name === 'format') vm.forgetFiles();
  endings.push(await vm.judgeEnding(name));
}
labResult({ attempts, besideTheOrphan, endings } satisfies KilledResult);
