import { closeSync, copyFileSync, mkdirSync, openSync, readSync, rmSync } from 'node:fs';
import { KannukiError, run } from '@kannuki/core';
import { readLuks2Header, reencryptionProgress } from '@kannuki/formats';
import { type EngineOptions, VolumeEngine } from '@kannuki/guest';
import { diskHash } from '../../lab/disk-hash.ts';
import { labInput, labResult, labTell } from '../../lab/inside.ts';
import { dataDevice, dataMountPoint, leaveData, mountedDataDevice, mountFromFstab } from '../../power-cut/small-vm.ts';
import { prepareBehaviours, setBehaviour, setDiskBelow } from '../disk-behaviour.ts';
import { describe, FaultVm, type FaultVmInput } from '../fault-vm.ts';
import { runWorker } from '../run-worker.ts';

/**
 * Inside a lab machine: between two boots another disk of the same size has come into the place of the volume's, at several stages of
 * the volume's life. A second image is that other disk: with a file system of its own, a copy of the volume as it was when it was
 * plain (so with its UUID), or noise, as the disk of another encrypted volume is.
 */
export interface WrongDiskCase {
  readonly stage: string;
  readonly other: string;
  /** Codes of what unlock, resume and the same command said; `none` where one had nothing to say. */
  readonly codes: readonly string[];
  readonly isUnchanged: boolean;
  /** What was mounted at the volume's place, or open over the wrong disk, afterwards. */
  readonly left: readonly string[];
}

export interface WrongDiskResult {
  readonly cases: readonly WrongDiskCase[];
  /** A copy is there while the volume is to be encrypted. */
  readonly withCopy: {
    readonly code: string | null;
    readonly rules: readonly string[];
    readonly areUnchanged: boolean;
  };
  /** The volume's disk has another name since the reboot, and its old name is another disk's. */
  readonly renamed: WrongDiskCase & { readonly isStillMounted: boolean };
  readonly endings: readonly string[];
}

const otherDisk = '/dev/ubdb';
const savedHeader = '/run/faults/header';
/** Both copies, as cryptsetup lays them out. */
const metadataBytes = 32768;
const copyOfPlain = '/mnt/keep/copy.img';

type Other = 'file system' | 'copy' | 'noise';
let otherKind: Other | undefined;
let otherHash = '';

const input = await labInput<FaultVmInput>();
mkdirSync('/run/faults', { recursive: true });
const vm = await FaultVm.make(input);
await prepareBehaviours();
await copyPlain();
const withCopy = await encryptBesideCopy();
const renamed = await renamedDisk();

const cases: WrongDiskCase[] = [];
await killAt('encrypt', 'entries-moved');
await tryOthers('entries-moved', 'encrypt', ['file system']);
await goOnUntil('encrypt', 'mapped');
await tryOthers('mapped', 'encrypt', ['file system']);
await stopInConversion();
await tryOthers('in the conversion', 'encrypt', ['copy']);
await withHotHeader(() => tryOthers('cut in a piece', 'encrypt', ['copy', 'file system', 'noise']));
const endings: string[] = [...(await goOnToTheEnd('encrypt'))];
await tryOthers('encrypted', 'rotate-volume-key', ['noise', 'copy']);
await goOnUntil('decrypt', 'begun');
await tryOthers('begun to decrypt', 'decrypt', ['copy', 'file system']);
await goOnUntil('decrypt', 'entries-restored');
await tryOthers('decrypted', 'decrypt', ['file system']);
endings.push(...(await goOnToTheEnd('decrypt')));
labResult({ cases, withCopy, renamed, endings } satisfies WrongDiskResult);

async function tryOthers(stage: string, operation: string, others: readonly Other[]): Promise<void> {
  for (const other of others) {
    labTell(`${stage}: ${other}`);
    cases.push(await tryOther(stage, operation, other));
  }
}

async function tryOther(stage: string, operation: string, other: Other): Promise<WrongDiskCase> {
  await leaveData();
  await makeOther(other);
  await setDiskBelow(input.vm, otherDisk);
  const vault = await vm.vault();
  const engine = new VolumeEngine();
  const codes: string[] = [];
  codes.push(...codesOf(await engine.unlock(() => vault)));
  codes.push(...codesOf(await engine.resume(() => vault)));
  codes.push((await vm.attempt(operation, () => other)).code ?? 'done');
  const { stdout } = await run('lsblk', ['--json', '--output', 'NAME', dataDevice]);
  const { blockdevices } = JSON.parse(stdout) as { blockdevices: { children?: { name: string }[] }[] };
  const left = (blockdevices[0]?.children ?? []).map(({ name }) => name);
  const mounted = mountedDataDevice();
  if (mounted !== undefined) left.push(`${mounted} is mounted`);
  const isUnchanged = (await diskHash(otherDisk)) === otherHash;
  await leaveData();
  await setDiskBelow(input.vm, null);
  return { stage, other, codes, isUnchanged, left };
}

function codesOf(problems: readonly { readonly error: unknown }[]): readonly string[] {
  return problems.length === 0 ? ['none'] : problems.map(({ error }) => describe(error).code ?? '');
}

/** Only what differs from what the case before has left unchanged. */
async function makeOther(kind: Other): Promise<void> {
  if (kind === otherKind && (await diskHash(otherDisk)) === otherHash) return;
  if (kind === 'copy') await copyTo(copyOfPlain, otherDisk);
  else if (kind === 'noise') await copyTo('/dev/urandom', otherDisk);
  else await run('mkfs.ext4', ['-q', '-F', '-b', '4096', otherDisk]);
  otherKind = kind;
  otherHash = await diskHash(otherDisk);
}

async function copyTo(from: string, to: string): Promise<void> {
  await run('dd', [
    `if=${from}`,
    `of=${to}`,
    'bs=4M',
    `count=${input.vm.dataMiB / 4}`,
    'iflag=fullblock',
    'conv=fsync,notrunc',
  ]);
}

async function copyPlain(): Promise<void> {
  await run('umount', [dataMountPoint]);
  await copyTo(dataDevice, copyOfPlain);
  await mountFromFstab();
}

async function encryptBesideCopy(): Promise<WrongDiskResult['withCopy']> {
  await makeOther('copy');
  const before = await diskHash(dataDevice);
  const error = await encryptError({});
  const areUnchanged = (await diskHash(dataDevice)) === before && (await diskHash(otherDisk)) === otherHash;
  const rules = error instanceof KannukiError ? error.findings.map(({ rule }) => rule) : [];
  return { code: describe(error).code, rules, areUnchanged };
}

async function encryptError(request: { readonly signal?: AbortSignal }, options: EngineOptions = {}): Promise<unknown> {
  try {
    const vault = await vm.vault();
    await new VolumeEngine(options).encrypt(dataMountPoint, {
      vault,
      kekId: input.kekId,
      stopServices: false,
      ...request,
    });
    return undefined;
  } catch (error) {
    return error;
  }
}

async function renamedDisk(): Promise<WrongDiskResult['renamed']> {
  await makeOther('noise');
  await killAt('encrypt', 'header-escrowed');
  await leaveData();
  await run('dmsetup', ['create', 'vm-moved', '--uuid', 'part3-lab', '--table', ownTable()]);
  await run('dmsetup', ['mknodes', 'vm-moved']);
  await makeOther('file system');
  await setDiskBelow(input.vm, otherDisk);
  await run('mount', ['-t', 'ext4', '/dev/mapper/vm-moved', dataMountPoint]);
  const vault = await vm.vault();
  const codes = codesOf(await new VolumeEngine().resume(() => vault));
  const mounted = mountedDataDevice();
  const isUnchanged = (await diskHash(otherDisk)) === otherHash;
  const isStillMounted = mounted === '/dev/mapper/vm-moved' && (await vm.look()).damaged.length === 0;
  await run('umount', [dataMountPoint]);
  await run('dmsetup', ['remove', '--retry', 'vm-moved']);
  await setDiskBelow(input.vm, null);
  await mountFromFstab();
  return { stage: 'header-escrowed', other: 'file system', codes, isUnchanged, left: [], isStillMounted };
}

function ownTable(): string {
  return `0 ${input.vm.dataMiB * 2048} linear /dev/ubda ${input.vm.stateMiB * 2048}`;
}

async function killAt(operation: string, step: string): Promise<void> {
  const { code, signal } = await runWorker(vm, { ...input, operation, dieAt: step, dieOf: 'SIGKILL' });
  if (signal !== 'SIGKILL') throw new Error(`the worker ended with ${code} before ${step}`);
}

async function goOnUntil(operation: string, step: string): Promise<void> {
  await boot();
  await killAt(operation, step);
}

async function boot(): Promise<void> {
  const problems = await vm.unlockAndMount();
  if (problems.length > 0) throw new Error(problems.join('; '));
}

async function goOnToTheEnd(operation: string): Promise<readonly string[]> {
  await boot();
  const { code, message } = await vm.attempt(operation, () => 'its own disk is back');
  if (code !== null) return [message];
  return (await vm.judgeEnding(operation)).wrongs;
}

/** Ends the conversion between two pieces, and keeps the header as it was in the middle of one. */
async function stopInConversion(): Promise<void> {
  await boot();
  await setBehaviour(input.vm, 'vm-data', { kind: 'slow', milliseconds: 50 });
  const stop = new AbortController();
  const header = headerFile(await journalName());
  const [error] = await Promise.all([encryptError({ signal: stop.signal }), keepHotHeader(header, stop)]);
  if (error === undefined) throw new Error('the conversion ended before it could be stopped');
  await setBehaviour(input.vm, 'vm-data', { kind: 'healthy' });
}

/** Looks until a piece behind the first is under work, and says then that it is enough. */
async function keepHotHeader(header: string, stop: AbortController): Promise<void> {
  const end = Date.now() + 60_000;
  while (Date.now() < end) {
    if (isHot(header)) {
      copyFileSync(header, savedHeader);
      if (isHot(savedHeader)) return stop.abort();
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('no piece was seen under work');
}

function isHot(header: string): boolean {
  const bytes = Buffer.alloc(metadataBytes);
  const file = openSync(header, 'r');
  try {
    readSync(file, bytes, 0, metadataBytes, 0);
    const progress = reencryptionProgress(readLuks2Header(bytes).newest.metadata, input.vm.dataMiB * 1024 * 1024);
    return progress.needsRecovery && progress.bytesConverted > 0;
  } catch (error) {
    // Read while it was being written.
    if (error instanceof KannukiError) return false;
    throw error;
  } finally {
    closeSync(file);
  }
}

function headerFile(name: string): string {
  return `/var/lib/kannuki/headers/${name}.luks`;
}

async function journalName(): Promise<string> {
  const [journal] = await new VolumeEngine().journals();
  if (journal === undefined) throw new Error('there is no journal');
  return journal.name;
}

/** The header as a power cut in the middle of a piece leaves it; only other disks are opened with it here. */
async function withHotHeader(action: () => Promise<void>): Promise<void> {
  const own = '/run/faults/own';
  const header = headerFile(await journalName());
  copyFileSync(header, own);
  copyFileSync(savedHeader, header);
  await action();
  copyFileSync(own, header);
  rmSync(`${header}.before-recovery`, { force: true });
}
