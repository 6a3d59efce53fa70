import { KannukiError, run } from '@kannuki/core';
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
const copyOfPlain = '/mnt/keep/copy.img';

type Other = 'file system' | 'copy' | 'noise';
let otherKind: Other | undefined;
let otherHash = '';

const input = await labInput<FaultVmInput>();
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
// In the middle of a piece: right-disk.test.ts.
await tryOthers('between two pieces', 'encrypt', ['copy', 'noise']);
const endings: string[] = [...(await goOnToTheEnd('encrypt'))];
await tryOthers('encrypted', 'rotate-volume-key', ['noise']);
await goOnUntil('decrypt', 'begun');
await tryOthers('begun to decrypt', 'decrypt', ['copy']);
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

async function stopInConversion(): Promise<void> {
  await boot();
  await setBehaviour(input.vm, 'vm-data', { kind: 'slow', milliseconds: 50 });
  const stop = new AbortController();
  const onEvent: EngineOptions['onEvent'] = ({ kind }) => {
    if (kind === 'progress') stop.abort();
  };
  const error = await encryptError({ signal: stop.signal }, { onEvent });
  if (error === undefined) throw new Error('the conversion ended before it could be stopped');
  await setBehaviour(input.vm, 'vm-data', { kind: 'healthy' });
}
