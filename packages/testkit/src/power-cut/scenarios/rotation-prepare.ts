import { run } from '@kannuki/core';
import { openGuestVault, VolumeEngine } from '@kannuki/guest';
import { labInput, labResult } from '../../lab/inside.ts';
import { fileContent, type PromisedFile, writePromised } from '../files.ts';
import { Random } from '../random.ts';
import { rotationNamed } from '../rotations.ts';
import {
  attachPartitions,
  bootState,
  dataMountPoint,
  enterDataInFstab,
  leaveState,
  makeFileSystems,
  type SmallVm,
} from '../small-vm.ts';

/** Inside a lab machine: a VM with a filled data volume, encrypted. No cut falls in here. */
export interface RotationPrepareInput {
  readonly vm: SmallVm;
  readonly seed: number;
  readonly fileSystem: 'ext4' | 'xfs';
  readonly operation: string;
  readonly vaultUrl: string;
  readonly kekId: string | null;
  readonly filledMiB: number;
}

const input = await labInput<RotationPrepareInput>();
const random = new Random(input.seed);
await attachPartitions(input.vm, false);
await makeFileSystems(input.fileSystem);
await bootState();
await enterDataInFstab(input.fileSystem);
const promised: PromisedFile[] = [];
for (let index = 0; index < input.filledMiB; index++) {
  promised.push(await writePromised(`${dataMountPoint}/old`, `f${index}`, fileContent(random, 1024 * 1024)));
}
await using vault = await openGuestVault(input.vaultUrl);
const engine = new VolumeEngine();
await rotationNamed(input.operation).prepare({
  fileSystem: input.fileSystem,
  point: dataMountPoint,
  vault,
  kekId: input.kekId,
  engine,
  mark: async () => {},
  forgetFiles: async () => {},
});
await run('umount', [dataMountPoint]);
for (const { name } of await engine.journals()) await run('cryptsetup', ['close', name]);
await leaveState();
labResult(promised);
