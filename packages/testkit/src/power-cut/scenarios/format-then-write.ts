import { run } from '@kannuki/core';
import { formatting, identityOf, openGuestVault, readGuestFacts, resolveTargets, VolumeEngine } from '@kannuki/guest';
import { labInput, labResult } from '../../lab/inside.ts';
import { fileContent, writePromised } from '../files.ts';
import { Random } from '../random.ts';
import {
  attachPartitions,
  bootState,
  dataMountPoint,
  detachRecorder,
  enterDataInFstab,
  leaveState,
  makeFileSystems,
  mark,
  type SmallVm,
} from '../small-vm.ts';

/** Inside a lab machine: a volume full of files is given up and formatted, every write on record; then new files come. */
export interface FormatWorkInput {
  readonly vm: SmallVm;
  readonly seed: number;
  readonly fileSystem: 'ext4' | 'xfs';
  readonly vaultUrl: string;
  readonly kekId: string | null;
  readonly filledMiB: number;
}

export interface FormatWorkResult {
  readonly step: string;
}

const input = await labInput<FormatWorkInput>();
const random = new Random(input.seed);
await attachPartitions(input.vm, true);
await makeFileSystems(input.fileSystem);
await bootState();
await enterDataInFstab(input.fileSystem);

async function promise(folder: string, name: string, bytes: number): Promise<void> {
  const { sha256, path } = await writePromised(`${dataMountPoint}/${folder}`, name, fileContent(random, bytes));
  await mark(`file:${sha256}:${path}`);
}

for (let index = 0; index < input.filledMiB; index++) await promise('old', `f${index}`, 1024 * 1024);
await run('sync', []);
const [volume] = await resolveTargets(await readGuestFacts(), [dataMountPoint]);
if (volume === undefined) throw new Error('no data volume');
await mark('begin');

const marks: Promise<void>[] = [];
const engine = new VolumeEngine({
  onEvent: (event) => {
    if (event.kind === 'step') marks.push(mark(`step:${event.step}`));
  },
});
await using vault = await openGuestVault(input.vaultUrl);
const { step, name } = await engine.encrypt(
  dataMountPoint,
  { vault, kekId: input.kekId, stopServices: false },
  formatting({ confirmed: [identityOf(volume)], wipe: true }),
);
await Promise.all(marks);
for (let index = 0; index < 12; index++) await promise('new', `n${index}`, random.between(1, 200_000));
await mark('end');
await run('umount', [dataMountPoint]);
await run('cryptsetup', ['close', name]);
await leaveState();
await detachRecorder();
labResult({ step } satisfies FormatWorkResult);
