import { run } from '@kannuki/core';
import { type FinishingCheck, openGuestVault, VolumeEngine } from '@kannuki/guest';
import { labInput, labResult } from '../../lab/inside.ts';
import { damagedFiles, type PromisedFile } from '../files.ts';
import { keysOfBoot, wrongsOfKeys } from '../operations/wrongs-of-keys.ts';
import { attachPartitions, bootState, dataMountPoint, type SmallVm } from '../small-vm.ts';

/** Inside a fresh lab machine: the boot after a power cut in a rotation, and a look at keys and files. */
export interface RotationRecoverInput {
  readonly vm: SmallVm;
  readonly fileSystem: 'ext4' | 'xfs';
  readonly vaultUrl: string;
  readonly promised: readonly PromisedFile[];
  readonly withFinishingCheck: boolean;
}

export interface RotationRecoverResult {
  readonly foundStep: string;
  readonly stateAtBoot: string;
  readonly state: string;
  readonly wrongs: readonly string[];
  readonly damaged: readonly string[];
  readonly fileSystemIsClean: boolean;
}

/** What a resume without our guard does: it asks only whether cryptsetup still calls the conversion unfinished. */
const withoutGuard: FinishingCheck = async (header) => {
  const { exitCode } = await run('sh', ['-c', `head -c 32768 ${header} | grep -aq online-reencrypt`], {
    accept: [0, 1],
  });
  return exitCode === 0 ? 'work-left' : 'nothing-left';
};

const input = await labInput<RotationRecoverInput>();
await attachPartitions(input.vm, false);
await bootState();
const engine = new VolumeEngine(input.withFinishingCheck ? {} : { finishingCheck: withoutGuard });
await using vault = await openGuestVault(input.vaultUrl);
const [journal] = await engine.journals();
const name = journal?.name ?? '';
// Before anything of ours has put anything right: what the boot has must open the volume.
const wrongs = (await keysOfBoot(name, journal?.passphrase ?? null, vault)).map((wrong) => `at boot: ${wrong}`);
const problems = [...(await engine.unlock(() => vault))];
const stateAtBoot = await stateNow();
problems.push(...(await engine.resume(() => vault)));
for (const { error } of problems) wrongs.push(error instanceof Error ? error.message : 'unknown error');
wrongs.push(...(await wrongsOfKeys({ engine, vault })));
const state = await stateNow();
const damaged = state === 'NotMounted' ? input.promised.map(({ path }) => path) : damagedFiles(input.promised);
let fileSystemIsClean = false;
if (state !== 'NotMounted') {
  await run('umount', [dataMountPoint]);
  const check = input.fileSystem === 'ext4' ? ['e2fsck', '-f', '-n'] : ['xfs_repair', '-n'];
  const [program, ...args] = [...check, `/dev/mapper/${name}`];
  fileSystemIsClean = (await run(program ?? '', args, { accept: [0, 1, 2, 4, 8] })).exitCode === 0;
}
labResult({
  foundStep: `${journal?.operation}:${journal?.step}`,
  stateAtBoot,
  state,
  wrongs,
  damaged,
  fileSystemIsClean,
} satisfies RotationRecoverResult);

async function stateNow(): Promise<string> {
  const volume = (await engine.list()).find(({ mountPoint }) => mountPoint === dataMountPoint);
  return volume?.state ?? 'NotMounted';
}
