import { run } from '@kannuki/core';
import { type FinishingCheck, openGuestVault, VolumeEngine } from '@kannuki/guest';
import { damagedFiles, type PromisedFile } from './files.ts';
import type { FoundJournal, Operation, OperationWorld } from './operations/operation.ts';
import { bootState, dataMountPoint, mountedDataDevice, mountFromFstab } from './small-vm.ts';

/** How the boot after a power cut is to be. */
export interface BootOptions {
  readonly fileSystem: 'ext4' | 'xfs';
  readonly vaultUrl: string;
  readonly kekId: string | null;
  readonly promised: readonly PromisedFile[];
  /** false shows that the test can fail: the guard against the double encryption is taken out. */
  readonly withFinishingCheck: boolean;
  /** The agent unlocks and resumes; a person without an agent gives the same command again. */
  readonly goesOnBy: 'agent' | 'command';
}

export interface BootResult {
  /** The journal as the boot found it; null where there was none. */
  readonly found: FoundJournal | null;
  readonly state: string;
  readonly damaged: readonly string[];
  readonly fileSystemIsClean: boolean;
  /** What is not as it should be, in words. */
  readonly wrongs: readonly string[];
  /** Where the time went. */
  readonly seconds: Readonly<Record<'state' | 'goOn' | 'check', number>>;
}

/** What a resume without our guard does: it asks only whether cryptsetup still calls the conversion unfinished. */
const withoutGuard: FinishingCheck = async (header) => {
  const { exitCode } = await run('sh', ['-c', `head -c 32768 ${header} | grep -aq online-reencrypt`], {
    accept: [0, 1],
  });
  return exitCode === 0 ? 'work-left' : 'nothing-left';
};

/** Boots the VM whose partitions are attached, lets it go on with what it finds, and looks at every promised file. */
export async function bootAfterCut(operation: Operation, options: BootOptions): Promise<BootResult> {
  const { fileSystem, vaultUrl, kekId, promised } = options;
  const laps = [performance.now()];
  await bootState();
  laps.push(performance.now());
  const engine = new VolumeEngine(options.withFinishingCheck ? {} : { finishingCheck: withoutGuard });
  await using vault = await openGuestVault(vaultUrl);
  const world: OperationWorld = {
    fileSystem,
    point: dataMountPoint,
    vault,
    kekId,
    engine,
    mark: async () => {},
    forgetFiles: async () => {},
  };
  const [journal] = await engine.journals();
  const wrongs: string[] = [];
  if (options.goesOnBy === 'command' && isUnfinished(journal)) {
    await mountFromFstab();
    await operation.work(world);
  } else {
    const locked = await engine.unlock(() => vault);
    if (mountedDataDevice() === undefined) await mountFromFstab();
    const stuck = await engine.resume(() => vault);
    wrongs.push(...[...locked, ...stuck].map(({ error }) => `the agent: ${String(error)}`));
  }
  laps.push(performance.now());

  const [after] = await engine.journals();
  const volume = (await engine.list()).find((candidate) => candidate.mountPoint === dataMountPoint);
  const damaged = volume === undefined ? promised.map(({ path }) => path) : damagedFiles(promised);
  if (isUnfinished(after)) wrongs.push(`the journal is still at ${after.operation}/${after.step}`);
  if (volume !== undefined) wrongs.push(...((await operation.wrongs?.(world)) ?? []));
  if (volume?.state === 'Encrypted') wrongs.push(...(await whatKeepsTheNextBootOut(world)));
  const fileSystemIsClean = await isClean(fileSystem);
  laps.push(performance.now());
  const [begin = 0, state = 0, goOn = 0, check = 0] = laps.map((lap) => lap / 1000);
  return {
    found: journal === undefined ? null : { operation: journal.operation, step: journal.step },
    state: volume?.state ?? 'NotMounted',
    damaged,
    fileSystemIsClean,
    wrongs,
    seconds: { state: state - begin, goOn: goOn - state, check: check - goOn },
  };
}

function isUnfinished(found: FoundJournal | undefined): found is FoundJournal {
  return found !== undefined && found.step !== 'finished';
}

/** The passphrase that the vault has now must open the header that is there now. */
async function whatKeepsTheNextBootOut({ engine, vault, point }: OperationWorld): Promise<readonly string[]> {
  const tried = await engine.testUnlock(() => vault, [point]);
  return tried.flatMap(({ opens, error }) => (opens ? [] : [`the next boot could not unlock: ${String(error)}`]));
}

async function isClean(fileSystem: 'ext4' | 'xfs'): Promise<boolean> {
  const device = mountedDataDevice();
  if (device === undefined) return false;
  await run('umount', [dataMountPoint]);
  const [program, ...args] =
    fileSystem === 'ext4' ? (['e2fsck', '-f', '-n', device] as const) : (['xfs_repair', '-n', device] as const);
  return (await run(program, args, { accept: [0, 1, 2, 4, 8] })).exitCode === 0;
}
