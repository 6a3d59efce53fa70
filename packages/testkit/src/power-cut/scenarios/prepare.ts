import { run } from '@kannuki/core';
import { openGuestVault, plainTuning, VolumeEngine } from '@kannuki/guest';
import { labInput, labResult } from '../../lab/inside.ts';
import { fileContent, type PromisedFile, writePromised } from '../files.ts';
import { operationNamed } from '../operations.ts';
import { Random } from '../random.ts';
import {
  attachPartitions,
  bootState,
  dataMountPoint,
  enterDataInFstab,
  leaveData,
  leaveState,
  makeFileSystems,
  type SmallVm,
} from '../small-vm.ts';

/** Inside a lab machine: a VM with a filled data volume, brought to where the operation begins. No cut falls in here. */
export interface PrepareInput {
  readonly vm: SmallVm;
  readonly seed: number;
  readonly fileSystem: 'ext4' | 'xfs';
  readonly operation: string;
  readonly vaultUrl: string;
  readonly kekId: string | null;
  readonly filledMiB: number;
}

export interface PrepareResult {
  readonly promised: readonly PromisedFile[];
}

const input = await labInput<PrepareInput>();
const random = new Random(input.seed);
await attachPartitions(input.vm, false);
await makeFileSystems(input.fileSystem);
await bootState();
await enterDataInFstab(input.fileSystem);
const operation = operationNamed(input.operation);
await operation.furnish?.(dataMountPoint);
const promised: PromisedFile[] = [];
for (let index = 0; index < input.filledMiB; index++) {
  promised.push(await writePromised(`${dataMountPoint}/old`, `f${index}`, fileContent(random, 1024 * 1024)));
}
await using vault = await openGuestVault(input.vaultUrl);
await operation.prepare({
  fileSystem: input.fileSystem,
  point: dataMountPoint,
  vault,
  kekId: input.kekId,
  // Without a measurement: what is prepared is the same each time.
  engine: new VolumeEngine({ chooseTuning: async () => ({ tuning: plainTuning(4096), findings: [] }) }),
  mark: async () => {},
  forgetFiles: async () => {
    promised.length = 0;
  },
});
await run('sync', []);
await leaveData();
await leaveState();
labResult({ promised } satisfies PrepareResult);
