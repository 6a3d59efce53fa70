import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratch } from '../lab/scratch.ts';
import { runInUml } from '../lab/uml.ts';
import { labVaultUrl, makeLabVault } from '../torture/lab-vault.ts';
import { type CutKind, endWindow, promisedBefore, stepBefore } from './cuts.ts';
import type { PromisedFile } from './files.ts';
import { Random } from './random.ts';
import { rotationNamed } from './rotations.ts';
import type { RotationPrepareInput } from './scenarios/rotation-prepare.ts';
import type { RotationRecoverInput, RotationRecoverResult } from './scenarios/rotation-recover.ts';
import type { RotationWorkInput } from './scenarios/rotation-work.ts';
import { diskBytes, smallVmFor } from './small-vm.ts';
import { loseSome, WriteLog } from './write-log.ts';

export type FileSystem = 'ext4' | 'xfs';

/** One whole rotation on record: the disk before it, every write, and the vault after each of its changes. */
export interface RotationRecord {
  readonly folder: string;
  readonly operation: string;
  readonly fileSystem: FileSystem;
  readonly promised: readonly PromisedFile[];
  readonly log: WriteLog;
}

export interface RotationCut {
  readonly entry: number;
  readonly kind: CutKind;
  readonly aim: string;
}

export interface RotationOutcome extends RotationCut, Partial<RotationRecoverResult> {
  /** The last step on record before the cut. */
  readonly step: string;
  readonly ok: boolean;
  readonly failure: string | null;
}

const filledMiB = 16;
const logBytes = 4 * 1024 ** 3;

export async function recordRotation(operation: string, fileSystem: FileSystem, seed: number): Promise<RotationRecord> {
  const folder = mkdtempSync(join(scratch(), 'kannuki-rotation-'));
  const [base, disk, logFile, keep] = ['base.img', 'disk.img', 'log.img', 'keep'].map((name) => join(folder, name));
  if (base === undefined || disk === undefined || logFile === undefined || keep === undefined) throw new Error('never');
  const vm = smallVmFor(fileSystem);
  sparse(base, diskBytes(vm));
  sparse(logFile, logBytes);
  mkdirSync(keep);
  const { vaultUrl, kekId } = await makeLabVault(keep);
  const common = { vm, seed, fileSystem, operation, vaultUrl };
  const machine = { keep, memoryMiB: 512, timeoutSeconds: 400 };
  const promised = await runInUml<readonly PromisedFile[]>({
    scenario: scenario('rotation-prepare.ts'),
    input: { ...common, kekId, filledMiB } satisfies RotationPrepareInput,
    disks: [base],
    ...machine,
  });
  mkdirSync(join(keep, 'vaults'));
  cpSync(join(keep, 'vault'), join(keep, 'vaults/0'), { recursive: true });
  copySparse(base, disk);
  const step = await runInUml<string | null>({
    scenario: scenario('rotation-work.ts'),
    input: common satisfies RotationWorkInput,
    disks: [disk, logFile],
    ...machine,
  });
  if (step !== 'finished') throw new Error(`the recorded rotation ended at ${step}`);
  rmSync(disk);
  return { folder, operation, fileSystem, promised, log: WriteLog.open(logFile) };
}

export function discardRotation({ folder }: RotationRecord): void {
  rmSync(folder, { recursive: true, force: true });
}

/**
 * Two thirds of the cuts between the records of the steps, step by step, so that each part of the plan gets some however short it is (the
 * changes of the header fall in there); of a conversion a third in its end window. Every second one loses unflushed writes.
 */
export function chooseRotationCuts(
  { log, operation }: RotationRecord,
  count: number,
  seed: number,
): readonly RotationCut[] {
  const random = new Random(seed);
  const { steps, conversion } = rotationNamed(operation);
  const begin = markAt(log, 'begin');
  const ends = [...steps.map((step) => markAt(log, `step:${step}`)), log.entries.length];
  const parts = ends.map((to, index) => ({ from: index === 0 ? begin + 1 : (ends[index - 1] ?? 0) + 1, to }));
  let turn = 0;
  return Array.from({ length: count }, (_, index): RotationCut => {
    const kind = index % 2 === 0 ? 'in-order' : 'unflushed-lost';
    if (conversion !== null && index % 3 === 2) {
      const { from, to } = endWindow(log);
      return { kind, aim: 'end-window', entry: random.between(from, to + 1) };
    }
    const part = parts[turn++ % parts.length];
    if (part === undefined) throw new Error('the plan has no steps');
    return { kind, aim: 'step', entry: part.from + random.between(0, Math.max(1, part.to - part.from + 1)) };
  });
}

/** Cuts the power at one entry, boots a fresh machine from what is left with the vault as it was then, and looks at everything. */
export async function tryRotationCut(
  record: RotationRecord,
  cut: RotationCut,
  seed: number,
  withFinishingCheck = true,
): Promise<RotationOutcome> {
  const folder = mkdtempSync(join(scratch(), 'kannuki-cut-'));
  const step = stepBefore(record.log, cut.entry);
  try {
    const image = join(folder, 'disk.img');
    copySparse(join(record.folder, 'base.img'), image);
    const random = new Random(seed);
    const lost = cut.kind === 'unflushed-lost' ? loseSome(record.log.unflushedBefore(cut.entry), random) : undefined;
    record.log.replay(image, 0, cut.entry, lost);
    const keep = join(folder, 'keep');
    const vault = join(record.folder, 'keep/vaults', String(vaultBefore(record.log, cut.entry)));
    cpSync(vault, join(keep, 'vault'), { recursive: true });
    const input: RotationRecoverInput = {
      vm: smallVmFor(record.fileSystem),
      fileSystem: record.fileSystem,
      vaultUrl: labVaultUrl,
      promised: [...record.promised, ...promisedBefore(record.log, cut.entry)],
      withFinishingCheck,
    };
    const found = await runInUml<RotationRecoverResult>({
      scenario: scenario('rotation-recover.ts'),
      input,
      disks: [image],
      keep,
      timeoutSeconds: 240,
    });
    const { damaged, wrongs, state, stateAtBoot, fileSystemIsClean } = found;
    const ok =
      damaged.length + wrongs.length === 0 &&
      fileSystemIsClean &&
      state === 'Encrypted' &&
      // All the time, also in the middle of a change of the volume key.
      stateAtBoot === 'Encrypted';
    return { ...cut, ...found, step, ok, failure: null };
  } catch (error) {
    return { ...cut, step, ok: false, failure: error instanceof Error ? error.message : String(error) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export async function tryRotationCuts(
  record: RotationRecord,
  cuts: readonly RotationCut[],
  seed: number,
): Promise<readonly RotationOutcome[]> {
  const waiting = cuts.map((cut, index) => ({ cut, seed: seed + index }));
  const outcomes: RotationOutcome[] = [];
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const outcome = await tryRotationCut(record, next.cut, next.seed);
      outcomes.push(outcome);
      const { entry, kind, aim, step, ok } = outcome;
      const verdict = ok ? 'ok' : 'FAILED';
      console.error(
        `${record.operation} ${record.fileSystem}: cut at ${entry} (${kind}, ${aim}, after ${step}): ${verdict}`,
      );
    }
  };
  await Promise.all([worker(), worker()]);
  return outcomes;
}

/** The state of the vault at a cut: number of its copy. */
function vaultBefore(log: WriteLog, entry: number): number {
  const last = log.entries.slice(0, entry).findLast(({ mark }) => mark?.startsWith('vault:') === true);
  return Number(last?.mark?.slice('vault:'.length) ?? 0);
}

function markAt(log: WriteLog, text: string): number {
  const index = log.entries.findIndex(({ mark }) => mark === text);
  if (index < 0) throw new Error(`the record has no mark ${text}`);
  return index;
}

function sparse(path: string, bytes: number): void {
  writeFileSync(path, '');
  truncateSync(path, bytes);
}

function copySparse(from: string, to: string): void {
  execFileSync('cp', ['--sparse=always', from, to]);
}

function scenario(name: string): string {
  return join(import.meta.dirname, 'scenarios', name);
}
