import { existsSync, rmSync, statSync } from 'node:fs';
import { run } from '@kannuki/core';
import { openGuestVault, VolumeEngine, VolumeRecovery } from '@kannuki/guest';
import { releasePassphrase } from '@kannuki/keyvault';
import { diskHash } from '../../lab/disk-hash.ts';
import { labInput, labResult } from '../../lab/inside.ts';
import { dataDevice, dataMountPoint, type SmallVm } from '../../power-cut/small-vm.ts';
import { damages, header } from './damage.ts';
import { closeVolume, damagedNow, freshVolume, type Refusal, refusalOf, volume } from './volume.ts';

/** Inside a lab machine: a header is damaged in one way after the other, and made anew each time. */
export interface HeaderRebuildInput {
  readonly vm: SmallVm;
  readonly vaultUrl: string;
  readonly kekId: string | null;
  /** Names of the damages to try. */
  readonly damages: readonly string[];
}

export interface RebuildOutcome {
  readonly damage: string;
  /** The engine cannot open it as it is: the damage is one. */
  readonly isLocked: boolean;
  readonly rebuiltFrom: string;
  readonly damagedKept: boolean;
  readonly diskIsUntouched: boolean;
  readonly headerMode: string;
  readonly leftBehind: boolean;
  readonly damagedFiles: readonly string[];
}

export interface HeaderRebuildResult {
  readonly whileOpen: Refusal | null;
  readonly whileGood: Refusal | null;
  readonly outcomes: readonly RebuildOutcome[];
  /** With the disk of the volume replaced by another one of the same size. */
  readonly otherDisk: Refusal | null;
  readonly otherDiskLeavesHeader: boolean;
  readonly withoutJournal: { readonly rebuiltFrom: string; readonly damagedFiles: readonly string[] };
}

const input = await labInput<HeaderRebuildInput>();
const files = await freshVolume(input.vm);
const vault = await openGuestVault(input.vaultUrl);
const vaultOf = (): typeof vault => vault;
const engine = new VolumeEngine();
const recovery = new VolumeRecovery();
const journal = await engine.encrypt(dataMountPoint, { vault, kekId: input.kekId, stopServices: false });

const rebuild = (): ReturnType<VolumeRecovery['rebuildHeader']> => recovery.rebuildHeader(dataMountPoint, vaultOf);
const whileOpen = await refusalOf(rebuild);
await closeVolume();
const whileGood = await refusalOf(rebuild);

const outcomes: RebuildOutcome[] = [];
// The hash of a disk takes its time: that a rebuild writes nothing there is looked at once.
for (const { name, inflict } of damages.filter((damage) => input.damages.includes(damage.name))) {
  inflict();
  const before = outcomes.length === 0 ? await diskHash(dataDevice) : undefined;
  const problems = await engine.unlock(vaultOf);
  const report = await rebuild();
  const diskIsUntouched = before === undefined || (await diskHash(dataDevice)) === before;
  await openAgain();
  outcomes.push({
    damage: name,
    isLocked: problems.length === 1,
    rebuiltFrom: report.rebuiltFrom,
    damagedKept: report.damagedKept !== null && existsSync(report.damagedKept),
    diskIsUntouched,
    headerMode: (statSync(header).mode & 0o777).toString(8),
    leftBehind: existsSync(`${header}.new`),
    damagedFiles: damagedNow(files),
  });
  await closeVolume();
}

rmSync(header);
const otherDisk = await onOtherDisk(() => refusalOf(rebuild));
const otherDiskLeavesHeader = existsSync(header);
labResult({
  whileOpen,
  whileGood,
  outcomes,
  otherDisk,
  otherDiskLeavesHeader,
  withoutJournal: await withoutJournal(),
} satisfies HeaderRebuildResult);

async function openAgain(): Promise<void> {
  const [problem] = await engine.unlock(vaultOf);
  if (problem !== undefined) throw problem.error;
}

/** Same size, same name, other contents: the beginning of the disk is noise for the time of the attempt. */
async function onOtherDisk<Result>(attempt: () => Promise<Result>): Promise<Result> {
  const keep = '/run/front';
  const front = ['bs=64k', 'count=1', 'conv=fsync,notrunc'];
  await run('dd', [`if=${dataDevice}`, `of=${keep}`, ...front]);
  await run('dd', ['if=/dev/urandom', `of=${dataDevice}`, ...front]);
  const result = await attempt();
  await run('dd', [`if=${keep}`, `of=${dataDevice}`, ...front]);
  return result;
}

/** Journal and header are gone: the secret's id and the disk are what is left. */
async function withoutJournal(): Promise<HeaderRebuildResult['withoutJournal']> {
  rmSync(`/var/lib/kannuki/volumes/${volume}.json`);
  const secretId = journal.passphrase?.secretId ?? '';
  const { rebuiltFrom, header: made } = await recovery.rebuildHeaderFromSecret(secretId, dataDevice, vault);
  if (journal.passphrase === null) throw new Error('no receipt');
  using passphrase = await releasePassphrase(vault, journal.passphrase);
  await run('cryptsetup', ['open', '--key-file=-', `--header=${made}`, dataDevice, volume], { input: passphrase });
  await run('dmsetup', ['mknodes']);
  await run('mount', ['-t', 'ext4', `/dev/mapper/${volume}`, dataMountPoint]);
  return { rebuiltFrom, damagedFiles: damagedNow(files) };
}
