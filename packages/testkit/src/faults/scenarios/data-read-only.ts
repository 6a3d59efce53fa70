import { readFileSync } from 'node:fs';
import { run } from '@kannuki/core';
import { labInput, labResult } from '../../lab/inside.ts';
import { dataDevice, dataMountPoint, mountedDataDevice } from '../../power-cut/small-vm.ts';
import { prepareBehaviours, setBehaviour } from '../disk-behaviour.ts';
import { type Attempt, type Ending, FaultVm, type FaultVmInput } from '../fault-vm.ts';
import { makeKernelRemount } from '../os-disk.ts';

/**
 * Inside a lab machine: in the middle of a conversion the kernel finds an error in the file system of the volume and takes no more
 * writes to it. The conversion is below the file system and goes on to its end.
 */
export interface DataReadOnlyInput extends FaultVmInput {
  readonly operations: readonly string[];
}

export interface DataReadOnlyResult {
  readonly attempts: readonly Attempt[];
  readonly endings: readonly Ending[];
}

const input = await labInput<DataReadOnlyInput>();
const vm = await FaultVm.make(input);
await prepareBehaviours();
// In the superblock, since each mount of the engine's is one with the options of fstab.
await run('umount', [dataMountPoint]);
await run('tune2fs', ['-e', 'remount-ro', dataDevice]);
await run('mount', ['-t', 'ext4', dataDevice, dataMountPoint]);
const attempts: Attempt[] = [];
const endings: Ending[] = [];
for (const operation of input.operations) {
  await vm.prepareFor(operation);
  await setBehaviour(input.vm, 'vm-data', { kind: 'slow', milliseconds: 20 });
  let where = '';
  const attempt = await vm.attempt(operation, () => where, {
    onEvent: ({ kind }) => {
      if (kind !== 'progress' || where !== '') return;
      where = 'in the conversion';
      // Of a file system that has just been mounted the first open of a file is a write (ext4 notes where it is mounted).
      readFileSync(vm.promised[0]?.path ?? '');
      makeKernelRemount(mountedDataDevice() ?? 'nothing', dataMountPoint);
    },
  });
  attempts.push(attempt);
  await setBehaviour(input.vm, 'vm-data', { kind: 'healthy' });
  await checkAsBootDoes();
  endings.push(await vm.judgeEnding(operation));
}
labResult({ attempts, endings } satisfies DataReadOnlyResult);

/** The file system remembers that there was an error until it has been checked. */
async function checkAsBootDoes(): Promise<void> {
  const device = mountedDataDevice();
  if (device === undefined) return;
  await run('umount', [dataMountPoint]);
  await run('e2fsck', ['-p', device], { accept: [0, 1] });
  await run('mount', ['-t', 'ext4', device, dataMountPoint]);
}
