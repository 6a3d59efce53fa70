import { labInput, labResult, labTell } from '../../lab/inside.ts';
import type { PromisedFile } from '../../power-cut/files.ts';
import { type DiskBehaviour, type FaultyDisk, prepareBehaviours, setBehaviour } from '../disk-behaviour.ts';
import { type Attempt, type Ending, FaultVm, type FaultVmInput } from '../fault-vm.ts';

/**
 * Inside a lab machine: a disk begins to fail in the middle of a conversion, and is well again later. In the next machine: the boot,
 * and the same command.
 */
export interface IoErrorsInput extends FaultVmInput {
  readonly operation: string;
  readonly disk: FaultyDisk;
  readonly behaviour: DiskBehaviour;
  /** null: this is the first machine. */
  readonly promised: readonly PromisedFile[] | null;
}

export interface BrokenResult {
  readonly promised: readonly PromisedFile[];
  readonly withFault: Attempt;
  /** The same command in the same boot, once the disk is well again. */
  readonly afterwards: Attempt;
}

export interface MendedResult {
  readonly attempt: Attempt;
  readonly ending: Ending;
}

const input = await labInput<IoErrorsInput>();
if (input.promised === null) await breakInTheMiddle();
else await bootAgain(input.promised);

async function breakInTheMiddle(): Promise<void> {
  const vm = await FaultVm.make(input);
  await prepareBehaviours();
  await vm.prepareFor(input.operation);
  // So that it takes seconds, and its middle can be hit.
  await setBehaviour(input.vm, 'vm-data', { kind: 'slow', milliseconds: 50 });
  let broken: Promise<void> | undefined;
  const withFault = await vm.attempt(input.operation, () => 'in the conversion', {
    onEvent: ({ kind }) => {
      if (kind === 'progress') broken ??= setBehaviour(input.vm, input.disk, input.behaviour);
    },
  });
  if (broken === undefined) throw new Error('the conversion was over before the disk could break');
  await broken;
  await setBehaviour(input.vm, input.disk, { kind: 'healthy' });
  const afterwards = await vm.attempt(input.operation, () => 'the disk is well again');
  labTell(`result:${JSON.stringify({ promised: vm.promised, withFault, afterwards } satisfies BrokenResult)}`);
}

async function bootAgain(promised: readonly PromisedFile[]): Promise<void> {
  const vm = await FaultVm.boot(input, promised);
  const attempt = await vm.attempt(input.operation, () => 'after the boot');
  labResult({ attempt, ending: await vm.judgeEnding(input.operation) } satisfies MendedResult);
}
