import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { run } from '@kannuki/core';
import { labDisks, labInput, labResult } from '../../lab/inside.ts';
import { type BootOptions, type BootResult, bootAfterCut } from '../boot-after-cut.ts';
import { operationNamed } from '../operations.ts';
import { attachPartitions, leaveState, type SmallVm } from '../small-vm.ts';

/**
 * Inside a lab machine: the boots after several power cuts, one after the other, each with a disk and a vault of its own. A
 * kernel costs as much to start as a boot has to do, so the kernel stays, and nothing else does: mounts and devices of
 * one boot must be gone before the next.
 */
export interface RecoverInput extends Omit<BootOptions, 'vaultUrl' | 'promised'> {
  readonly vm: SmallVm;
  readonly operation: string;
  /** In the order of the machine's disks. Less results than that: the other disks need another machine. */
  readonly cuts: readonly Pick<BootOptions, 'vaultUrl' | 'promised'>[];
}

export type RecoverResult = readonly BootResult[];

const input = await labInput<RecoverInput>();
const operation = operationNamed(input.operation);
const results: BootResult[] = [];
const nothing = traces();
const disks = labDisks();
for (const [index, cut] of input.cuts.entries()) {
  await attachPartitions(input.vm, false, disks[index]);
  const result = await bootAfterCut(operation, { ...input, ...cut });
  const left = index === input.cuts.length - 1 ? [] : await switchOff();
  results.push({ ...result, wrongs: [...result.wrongs, ...left] });
  // What is there so far counts, should the machine not survive the next one.
  labResult(results satisfies RecoverResult);
  if (left.length > 0) break;
}

/** @returns what the boot has left in the kernel all the same: the next disk needs another machine then */
async function switchOff(): Promise<readonly string[]> {
  await leaveState();
  await run('dmsetup', ['remove', '--retry', ...mappings()]);
  rmSync('/run/kannuki', { recursive: true, force: true });
  const left = traces();
  return left === nothing ? [] : [`the boot has left something behind: ${left}, and not ${nothing}`];
}

function mappings(): readonly string[] {
  const names = readdirSync('/sys/block').filter((name) => name.startsWith('dm-'));
  // The last one made lies on the others.
  return names.toReversed().map((name) => readFileSync(`/sys/block/${name}/dm/name`, 'utf8').trim());
}

/** All that a boot makes in a kernel. */
function traces(): string {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  const loops = readdirSync('/sys/block').filter((name) => existsSync(`/sys/block/${name}/loop/backing_file`));
  return JSON.stringify([mappings(), loops, mounts.length]);
}
