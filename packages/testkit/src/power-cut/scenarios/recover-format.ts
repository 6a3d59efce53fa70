import { existsSync, readdirSync } from 'node:fs';
import { run } from '@kannuki/core';
import { openGuestVault, VolumeEngine } from '@kannuki/guest';
import { labInput, labResult } from '../../lab/inside.ts';
import { damagedFiles, type PromisedFile } from '../files.ts';
import { attachPartitions, bootState, dataDevice, dataMountPoint, mountFromFstab, type SmallVm } from '../small-vm.ts';

/** Inside a fresh lab machine: the boot after a power cut while a volume was formatted. */
export interface RecoverFormatInput {
  readonly vm: SmallVm;
  readonly fileSystem: 'ext4' | 'xfs';
  readonly vaultUrl: string;
  readonly promised: readonly PromisedFile[];
}

export interface RecoverFormatResult {
  /** Step of the journal as the boot found it; null where there was none. */
  readonly foundStep: string | null;
  /** Whether the boot, before the agent did anything, had the old volume mounted with all files. */
  readonly oldIsWhole: boolean;
  readonly problems: readonly string[];
  readonly state: string;
  readonly lastStep: string | null;
  readonly oldFiles: number;
  readonly damagedNew: readonly string[];
  readonly fileSystemIsClean: boolean;
}

const input = await labInput<RecoverFormatInput>();
await attachPartitions(input.vm, false);
await bootState();
const vault = await openGuestVault(input.vaultUrl);
const engine = new VolumeEngine();
const [journal] = await engine.journals();
const isOld = ({ path }: PromisedFile) => path.startsWith(`${dataMountPoint}/old/`);
let oldIsWhole = false;
if (journal === undefined || beforeLetGo(journal.step)) {
  await mountFromFstab();
  oldIsWhole = damagedFiles(input.promised.filter(isOld)).length === 0;
}
const unlockProblems = await engine.unlock(() => vault);
const resumeProblems = await engine.resume(() => vault);
const [after] = await engine.journals();
const volume = (await engine.list()).find(({ mountPoint }) => mountPoint === dataMountPoint);
const oldFiles = existsSync(`${dataMountPoint}/old`) ? readdirSync(`${dataMountPoint}/old`).length : 0;
const damagedNew = damagedFiles(input.promised.filter((file) => !isOld(file)));
let fileSystemIsClean = false;
if (volume !== undefined) {
  await run('umount', [dataMountPoint]);
  const device = after === undefined ? dataDevice : `/dev/mapper/${after.name}`;
  const args = input.fileSystem === 'ext4' ? ['-f', '-n', device] : ['-n', device];
  const { exitCode } = await run(input.fileSystem === 'ext4' ? 'e2fsck' : 'xfs_repair', args, {
    accept: [0, 1, 2, 4, 8],
  });
  fileSystemIsClean = exitCode === 0;
}
labResult({
  foundStep: journal?.step ?? null,
  oldIsWhole,
  problems: [...unlockProblems, ...resumeProblems].map(({ error }) => String(error)),
  state: volume?.state ?? 'NotMounted',
  lastStep: after?.step ?? null,
  oldFiles,
  damagedNew,
  fileSystemIsClean,
} satisfies RecoverFormatResult);

function beforeLetGo(step: string): boolean {
  return ['planned', 'passphrase-escrowed', 'header-prepared', 'header-escrowed'].includes(step);
}
