import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '@kannuki/core';
import { scratch } from '../lab/scratch.ts';
import { runInUml } from '../lab/uml.ts';
import { DiskRecord } from '../power-cut/disk-record.ts';
import type { PromisedFile } from '../power-cut/files.ts';
import type { Operation } from '../power-cut/operations/operation.ts';
import { promisedBy } from '../power-cut/places.ts';
import type { PrepareInput, PrepareResult } from '../power-cut/scenarios/prepare.ts';
import type { WorkInput, WorkResult } from '../power-cut/scenarios/work.ts';
import { diskBytes, recordedDisks, type SmallVm, smallVmFor } from '../power-cut/small-vm.ts';
import { makeLabVault } from './lab-vault.ts';

export type FileSystem = 'ext4' | 'xfs';

/** A VM whose volume is where the operation begins, on FOLDER/disk.img, with its vault in FOLDER/keep. */
export interface Prepared {
  readonly folder: string;
  readonly operation: Operation;
  readonly fileSystem: FileSystem;
  readonly vm: SmallVm;
  readonly vaultUrl: string;
  readonly kekId: string;
  readonly promised: readonly PromisedFile[];
}

/** One whole run of an operation: FOLDER/disk.img is the disk before it, the record has every write after that. */
export interface Recording extends Prepared {
  readonly record: DiskRecord;
}

const filledMiB = 24;
/** A file with holes: it takes what is written to it. */
export const logBytes = 4 * 1024 ** 3;

export function scenario(name: string): string {
  return join(import.meta.dirname, '../power-cut/scenarios', name);
}

/** Fills a volume and brings it to where the operation begins, in a machine of its own, so that no record holds that. */
export async function prepare(operation: Operation, seed: number, fileSystem: FileSystem): Promise<Prepared> {
  const folder = mkdtempSync(join(scratch(), 'kannuki-torture-'));
  const vm = smallVmFor(fileSystem);
  const disk = join(folder, 'disk.img');
  emptyFile(disk, diskBytes(vm));
  const keep = join(folder, 'keep');
  mkdirSync(keep);
  const { vaultUrl, kekId } = await makeLabVault(keep);
  const input: PrepareInput = { vm, seed, fileSystem, operation: operation.name, vaultUrl, kekId, filledMiB };
  const { promised } = await runInUml<PrepareResult>({
    scenario: scenario('prepare.ts'),
    input,
    disks: [disk],
    keep,
    memoryMiB: 512,
    timeoutSeconds: 300,
  });
  return { folder, operation, fileSystem, vm, vaultUrl, kekId, promised };
}

/** Runs one whole operation in a lab machine with every write on record. */
export async function recordOperation(operation: Operation, seed: number, fileSystem: FileSystem): Promise<Recording> {
  const prepared = await prepare(operation, seed, fileSystem);
  try {
    return { ...prepared, record: await recordOn(prepared, seed) };
  } catch (error) {
    discardRecording(prepared);
    throw error;
  }
}

async function recordOn(
  { folder, vm, vaultUrl, kekId, operation, fileSystem }: Prepared,
  seed: number,
): Promise<DiskRecord> {
  const keep = join(folder, 'keep');
  mkdirSync(join(keep, 'vaults'));
  cpSync(join(keep, 'vault'), join(keep, 'vaults/0'), { recursive: true });
  await copyOfDisk(join(folder, 'disk.img'), join(folder, 'work.img'));
  for (const log of recordedDisks.slice(1)) emptyFile(join(folder, log), logBytes);
  const input: WorkInput = { vm, record: true, seed, fileSystem, operation: operation.name, vaultUrl, kekId };
  const { step } = await runInUml<WorkResult>({
    scenario: scenario('work.ts'),
    input,
    disks: ['work.img', ...recordedDisks.slice(1)].map((name) => join(folder, name)),
    keep,
    memoryMiB: 512,
    timeoutSeconds: 300,
  });
  if (step !== null && step !== 'finished') throw new Error(`the recorded run of ${operation.name} ended at ${step}`);
  rmSync(join(folder, 'work.img'));
  return DiskRecord.open(folder, vm);
}

export function discardRecording({ folder }: Prepared): void {
  rmSync(folder, { recursive: true, force: true });
}

/** The files that were promised before the cut. */
export function promisedBefore({ record, promised }: Recording, entry: number): readonly PromisedFile[] {
  return promisedBy(
    promised,
    record.entries.slice(0, entry).flatMap(({ mark }) => mark ?? []),
  );
}

/** Copies an image and leaves its holes holes. */
export async function copyOfDisk(from: string, to: string): Promise<void> {
  await run('cp', ['--sparse=always', from, to]);
}

export function emptyFile(path: string, bytes: number): void {
  writeFileSync(path, '');
  truncateSync(path, bytes);
}

/** Puts the vault's copy N in the place of the vault that the next machine finds. */
export function takeVaultCopy(from: string, to: string, copy: number): void {
  mkdirSync(to, { recursive: true });
  cpSync(join(from, 'vaults', String(copy)), join(to, 'vault.new'), { recursive: true });
  rmSync(join(to, 'vault'), { recursive: true, force: true });
  renameSync(join(to, 'vault.new'), join(to, 'vault'));
}
