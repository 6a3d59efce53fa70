import { statfsSync } from 'node:fs';
import { run } from '@kannuki/core';
import { type FinishingCheck, openGuestVault, VolumeEngine } from '@kannuki/guest';
import { labInput, labResult } from '../../lab/inside.ts';
import { damagedFiles, type PromisedFile } from '../files.ts';
import {
  attachPartitions,
  bootState,
  dataDevice,
  dataMountPoint,
  detachRecorder,
  leaveState,
  mark,
  mountFromFstab,
  type SmallVm,
} from '../small-vm.ts';

/** Inside a fresh lab machine: the boot after a power cut, and a look at every file that was promised. */
export interface RecoverInput {
  readonly vm: SmallVm;
  readonly fileSystem: 'ext4' | 'xfs';
  readonly vaultUrl: string;
  readonly promised: readonly PromisedFile[];
  /** false shows that the test can fail: the guard against the double encryption is taken out. */
  readonly withFinishingCheck: boolean;
  /** The recovery itself is on record on /dev/ubdb, for a second cut; the machine stops when the volume is open. */
  readonly record: boolean;
  /** The agent unlocks and resumes; a person without an agent gives the same command again. */
  readonly goesOnBy: 'agent' | 'command';
}

export interface RecoverResult {
  /** Step of the journal as the boot found it; null where there was none. */
  readonly foundStep: string | null;
  readonly state: string;
  readonly damaged: readonly string[];
  readonly fileSystemIsClean: boolean;
  /** As statfs(2) has it; 0 when it is not mounted. */
  readonly fileSystemBytes: number;
}

/** What a resume without our guard does: it asks only whether cryptsetup still calls the conversion unfinished. */
const withoutGuard: FinishingCheck = async (header) => {
  const { exitCode } = await run('sh', ['-c', `head -c 32768 ${header} | grep -aq online-reencrypt`], {
    accept: [0, 1],
  });
  return exitCode === 0 ? 'work-left' : 'nothing-left';
};

const input = await labInput<RecoverInput>();
await attachPartitions(input.vm, input.record);
await bootState();
const engine = new VolumeEngine(input.withFinishingCheck ? {} : { finishingCheck: withoutGuard });
const vault = await openGuestVault(input.vaultUrl);
const [journal] = await engine.journals();
if (input.goesOnBy === 'command' && journal !== undefined && journal.step !== 'finished') {
  await mountFromFstab();
  await engine.encrypt(dataMountPoint, { vault, vaultAddress: journal.vaultUri, kekId: null, stopServices: false });
} else {
  if (input.record) await mark('unlock-begin');
  await engine.unlock(() => vault);
  if (input.record) await recordEnds();
  await mountFromFstab();
  await engine.resume(() => vault);
}

const [after] = await engine.journals();
const volume = (await engine.list()).find((candidate) => candidate.mountPoint === dataMountPoint);
const damaged = volume === undefined ? input.promised.map(({ path }) => path) : damagedFiles(input.promised);
let fileSystemIsClean = false;
let fileSystemBytes = 0;
if (volume !== undefined) {
  const { blocks, bsize } = statfsSync(dataMountPoint);
  fileSystemBytes = blocks * bsize;
  await run('umount', [dataMountPoint]);
  const device = after === undefined ? dataDevice : `/dev/mapper/${after.name}`;
  const check = input.fileSystem === 'ext4' ? ['e2fsck', '-f', '-n', device] : ['xfs_repair', '-n', device];
  const [program, ...args] = check;
  fileSystemIsClean = (await run(program ?? '', args, { accept: [0, 1, 2, 4, 8] })).exitCode === 0;
}
labResult({
  foundStep: journal?.step ?? null,
  state: volume?.state ?? 'NotMounted',
  damaged,
  fileSystemIsClean,
  fileSystemBytes,
} satisfies RecoverResult);

/** The second cut comes at the latest here: what follows is not of interest, and nothing is left behind but the record. */
async function recordEnds(): Promise<never> {
  await mark('unlock-end');
  await run('umount', [dataMountPoint]);
  await run('cryptsetup', ['close', journal?.name ?? '']);
  await leaveState();
  await detachRecorder();
  labResult(null);
  process.exit(0);
}
