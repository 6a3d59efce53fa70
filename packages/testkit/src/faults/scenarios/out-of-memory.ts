import { readFileSync } from 'node:fs';
import { labInput, labResult } from '../../lab/inside.ts';
import { prepareBehaviours, setBehaviour } from '../disk-behaviour.ts';
import { type Attempt, type Ending, FaultVm, type FaultVmInput } from '../fault-vm.ts';
import { endOfOrphans, runWorker } from '../run-worker.ts';

/**
 * Inside a lab machine of 512 MiB: in the middle of a conversion another program eats all memory that there is. The kernel kills the process that
 * does the operation, then the eater; cryptsetup, which must not die in the middle of a piece, goes on. Then the same command again.
 */
export interface OutOfMemoryInput extends FaultVmInput {
  readonly operations: readonly string[];
}

export interface OutOfMemoryResult {
  readonly workers: readonly {
    readonly operation: string;
    readonly code: number | null;
    readonly signal: string | null;
  }[];
  readonly killedByKernel: number;
  readonly attempts: readonly Attempt[];
  readonly endings: readonly Ending[];
}

const input = await labInput<OutOfMemoryInput>();
const vm = await FaultVm.make(input);
await prepareBehaviours();
const workers: OutOfMemoryResult['workers'][number][] = [];
const attempts: Attempt[] = [];
const endings: Ending[] = [];
for (const operation of input.operations) {
  await vm.prepareFor(operation);
  await setBehaviour(input.vm, 'vm-data', { kind: 'slow', milliseconds: 200 });
  const ended = await runWorker(vm, { ...input, operation, dieAt: 'progress', dieOf: 'memory' });
  workers.push({ operation, ...ended });
  await endOfOrphans();
  await setBehaviour(input.vm, 'vm-data', { kind: 'healthy' });
  attempts.push(await vm.attempt(operation, () => 'memory is there again'));
  endings.push(await vm.judgeEnding(operation));
}
labResult({ workers, killedByKernel: oomKills(), attempts, endings } satisfies OutOfMemoryResult);

/** proc(5), /proc/vmstat. */
function oomKills(): number {
  const line = readFileSync('/proc/vmstat', 'utf8')
    .split('\n')
    .find((one) => one.startsWith('oom_kill '));
  return Number(line?.split(' ')[1] ?? 0);
}
