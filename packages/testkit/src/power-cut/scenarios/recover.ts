import { run } from '@kannuki/core';
import { type FinishingCheck, openGuestVault, VolumeEngine } from '@kannuki/guest';
import { labInput, labResult } from '../../lab/inside.ts';
import { damagedFiles, type PromisedFile } from '../files.ts';
import type { FoundJournal, OperationWorld } from '../operations/operation.ts';
import { operationNamed } from '../operations.ts';
import {
  attachPartitions,
  bootState,
  dataMountPoint,
  detachRecorder,
  leaveData,
  leaveState,
  mark,
  mountedDataDevice,
  mountFromFstab,
  type SmallVm,
} from '../small-vm.ts';

/** Inside a fresh lab machine: the boot after a power cut, and a look at every file that was promised. */
export interface RecoverInput {
  readonly vm: SmallVm;
  readonly fileSystem: 'ext4' | 'xfs';
  readonly operation: string;
  readonly vaultUrl: string;
  readonly kekId: string | null;
  readonly promised: readonly PromisedFile[];
  /** false shows that the test can fail: the guard against the double encryption is taken out. */
  readonly withFinishingCheck: boolean;
  /** The recovery itself is on record, for a second cut; the machine stops when the volume is open. */
  readonly record: boolean;
  /** The agent unlocks and resumes; a person without an agent gives the same command again. */
  readonly goesOnBy: 'agent' | 'command';
}

export interface RecoverResult {
  /** The journal as the boot found it; null where there was none. */
  readonly found: FoundJournal | null;
  readonly state: string;
  readonly damaged: readonly string[];
  readonly fileSystemIsClean: boolean;
  /** What is not as it should be, in words. */
  readonly wrongs: readonly string[];
  /** Where the time went. */
  readonly seconds: Readonly<Record<'machine' | 'state' | 'goOn' | 'check', number>>;
}

/** What a resume without our guard does: it asks only whether cryptsetup still calls the conversion unfinished. */
const withoutGuard: FinishingCheck = async (header) => {
  const { exitCode } = await run('sh', ['-c', `head -c 32768 ${header} | grep -aq online-reencrypt`], {
    accept: [0, 1],
  });
  return exitCode === 0 ? 'work-left' : 'nothing-left';
};

const laps = [performance.now()];
const input = await labInput<RecoverInput>();
const operation = operationNamed(input.operation);
await attachPartitions(input.vm, input.record);
await bootState();
laps.push(performance.now());
const engine = new VolumeEngine(input.withFinishingCheck ? {} : { finishingCheck: withoutGuard });
const vault = await openGuestVault(input.vaultUrl);
const world: OperationWorld = {
  fileSystem: input.fileSystem,
  point: dataMountPoint,
  vault,
  kekId: input.kekId,
  engine,
  mark: async () => {},
  forgetFiles: async () => {},
};
const [journal] = await engine.journals();
if (input.goesOnBy === 'command' && isUnfinished(journal)) {
  await mountFromFstab();
  await operation.work(world);
} else {
  if (input.record) await mark('unlock-begin');
  await engine.unlock(() => vault);
  if (input.record) await recordEnds();
  if (mountedDataDevice() === undefined) await mountFromFstab();
  await engine.resume(() => vault);
}
laps.push(performance.now());

const [after] = await engine.journals();
const volume = (await engine.list()).find((candidate) => candidate.mountPoint === dataMountPoint);
const damaged = volume === undefined ? input.promised.map(({ path }) => path) : damagedFiles(input.promised);
const wrongs: string[] = [];
if (isUnfinished(after)) wrongs.push(`the journal is still at ${after.operation}/${after.step}`);
if (volume !== undefined) wrongs.push(...((await operation.wrongs?.(world)) ?? []));
if (volume?.state === 'Encrypted') wrongs.push(...(await whatKeepsTheNextBootOut()));
const fileSystemIsClean = await isClean();
laps.push(performance.now());
const [begin = 0, state = 0, goOn = 0, check = 0] = laps;
labResult({
  found: factsOf(journal),
  state: volume?.state ?? 'NotMounted',
  damaged,
  fileSystemIsClean,
  wrongs,
  seconds: {
    machine: begin / 1000,
    state: (state - begin) / 1000,
    goOn: (goOn - state) / 1000,
    check: (check - goOn) / 1000,
  },
} satisfies RecoverResult);

function factsOf(found: FoundJournal | undefined): FoundJournal | null {
  return found === undefined ? null : { operation: found.operation, step: found.step };
}

function isUnfinished(found: FoundJournal | undefined): found is FoundJournal {
  return found !== undefined && found.step !== 'finished';
}

/** The passphrase that the vault has now must open the header that is there now. */
async function whatKeepsTheNextBootOut(): Promise<readonly string[]> {
  const tried = await engine.testUnlock(() => vault, [dataMountPoint]);
  return tried.flatMap(({ opens, error }) => (opens ? [] : [`the next boot could not unlock: ${String(error)}`]));
}

async function isClean(): Promise<boolean> {
  const device = mountedDataDevice();
  if (device === undefined) return false;
  await run('umount', [dataMountPoint]);
  const [program, ...args] =
    input.fileSystem === 'ext4' ? (['e2fsck', '-f', '-n', device] as const) : (['xfs_repair', '-n', device] as const);
  return (await run(program, args, { accept: [0, 1, 2, 4, 8] })).exitCode === 0;
}

/** The second cut comes at the latest here: what follows is not of interest, and nothing is left behind but the record. */
async function recordEnds(): Promise<never> {
  await mark('unlock-end');
  await leaveData();
  await leaveState();
  await detachRecorder();
  labResult(null);
  process.exit(0);
}
