import {
  closeSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { scratch } from '../lab/scratch.ts';
import { runInUml } from '../lab/uml.ts';
import { type Cut, chooseCuts, promisedBefore, stepBefore } from '../power-cut/cuts.ts';
import { canary, type PromisedFile } from '../power-cut/files.ts';
import { Random } from '../power-cut/random.ts';
import type { WorkInput, WorkResult } from '../power-cut/scenarios/encrypt-while-writing.ts';
import type { RecoverInput, RecoverResult } from '../power-cut/scenarios/recover.ts';
import { dataOffset, diskBytes, smallVm, smallVmFor } from '../power-cut/small-vm.ts';
import { loseSome, WriteLog } from '../power-cut/write-log.ts';
import { labVaultUrl, makeLabVault } from './lab-vault.ts';

export type FileSystem = 'ext4' | 'xfs';

/** What a boot made of a disk that had its power cut. */
export interface Recovery {
  readonly foundStep: string | null;
  readonly state: string;
  readonly promised: number;
  readonly damaged: readonly string[];
  readonly plaintextFound: boolean;
  readonly ok: boolean;
  /** Set when the machine itself failed, e.g. a boot that needed a hand. */
  readonly failure: string | null;
}

export interface CutOutcome extends Cut, Recovery {
  readonly fileSystem: FileSystem;
  /** The last step on record before the cut. */
  readonly step: string;
}

export interface Recording {
  readonly folder: string;
  readonly fileSystem: FileSystem;
  readonly log: WriteLog;
  readonly downtimeSeconds: number | null;
}

export const filledMiB = 24;
export const logBytes = 4 * 1024 ** 3;

/** Runs one whole encryption in a lab machine with every write on record. */
export async function recordEncryption(seed: number, fileSystem: FileSystem): Promise<Recording> {
  const folder = mkdtempSync(join(scratch(), 'kannuki-record-'));
  const disk = join(folder, 'disk.img');
  const logFile = join(folder, 'log.img');
  for (const [path, bytes] of [
    [disk, diskBytes(smallVmFor(fileSystem))],
    [logFile, logBytes],
  ] as const) {
    writeFileSync(path, '');
    truncateSync(path, bytes);
  }
  const keep = join(folder, 'keep');
  mkdirSync(keep);
  const { vaultUrl, kekId } = await makeLabVault(keep);
  const input: WorkInput = { vm: smallVmFor(fileSystem), record: true, seed, fileSystem, vaultUrl, kekId, filledMiB };
  const { step, downtimeSeconds } = await runInUml<WorkResult>({
    scenario: scenario('encrypt-while-writing.ts'),
    input,
    disks: [disk, logFile],
    keep,
    memoryMiB: 512,
    timeoutSeconds: 300,
  });
  if (step !== 'finished') throw new Error(`the recorded run ended at ${step}`);
  rmSync(disk);
  return { folder, fileSystem, log: WriteLog.open(logFile), downtimeSeconds };
}

export function discardRecording(recording: Recording): void {
  rmSync(recording.folder, { recursive: true, force: true });
}

/** The disk as a power cut at an entry of the record leaves it. */
export function imageAfter(recording: Recording, cut: Cut, random: Random): string {
  const folder = mkdtempSync(join(scratch(), 'kannuki-cut-'));
  const image = join(folder, 'disk.img');
  writeFileSync(image, '');
  truncateSync(image, diskBytes(smallVmFor(recording.fileSystem)));
  const lost = cut.kind === 'unflushed-lost' ? loseSome(recording.log.unflushedBefore(cut.entry), random) : undefined;
  recording.log.replay(image, 0, cut.entry, lost);
  cpSync(join(recording.folder, 'keep'), join(folder, 'keep'), { recursive: true });
  return folder;
}

/** Cuts the power at one entry, boots a fresh machine from what is left, and looks at every promised file. */
export async function tryCut(
  recording: Recording,
  cut: Cut,
  random: Random,
  withFinishingCheck = true,
): Promise<CutOutcome> {
  const folder = imageAfter(recording, cut, random);
  const promised = promisedBefore(recording.log, cut.entry);
  try {
    const recovery = await recover(folder, recording.fileSystem, promised, withFinishingCheck);
    return { ...cut, fileSystem: recording.fileSystem, step: stepBefore(recording.log, cut.entry), ...recovery };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Boots a fresh machine from the disk that a power cut has left (FOLDER/disk.img, its vault in FOLDER/keep). */
export async function recover(
  folder: string,
  fileSystem: FileSystem,
  promised: readonly PromisedFile[],
  withFinishingCheck: boolean,
  goesOnBy: RecoverInput['goesOnBy'] = 'agent',
): Promise<Recovery> {
  const image = join(folder, 'disk.img');
  const input: RecoverInput = {
    vm: smallVmFor(fileSystem),
    fileSystem,
    vaultUrl: labVaultUrl,
    promised,
    withFinishingCheck,
    record: false,
    goesOnBy,
  };
  try {
    const found = await runInUml<RecoverResult>({
      scenario: scenario('recover.ts'),
      input,
      disks: [image],
      keep: join(folder, 'keep'),
      timeoutSeconds: 180,
    });
    const wanted = found.foundStep === null ? 'NotEncrypted' : 'Encrypted';
    const plaintextFound = found.state === 'Encrypted' && holdsCanary(image);
    const ok = found.damaged.length === 0 && found.fileSystemIsClean && found.state === wanted && !plaintextFound;
    return { ...found, promised: promised.length, plaintextFound, ok, failure: null };
  } catch (error) {
    const failure = error instanceof Error ? error.message : String(error);
    return {
      foundStep: null,
      state: 'failed',
      promised: promised.length,
      damaged: [],
      plaintextFound: false,
      ok: false,
      failure,
    };
  }
}

/** Tries many cuts of one recording, two machines at a time. */
export async function tryCuts(
  recording: Recording,
  count: number,
  seed: number,
  onOutcome: (outcome: CutOutcome) => void,
): Promise<readonly CutOutcome[]> {
  const random = new Random(seed);
  const waiting = chooseCuts(recording.log, count, random).map((cut) => ({
    cut,
    random: new Random(random.between(0, 2 ** 31)),
  }));
  const outcomes: CutOutcome[] = [];
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const outcome = await tryCut(recording, next.cut, next.random);
      outcomes.push(outcome);
      onOutcome(outcome);
    }
  };
  await Promise.all([worker(), worker()]);
  return outcomes;
}

/** Whether any block of the data volume still shows what the files hold. */
export function holdsCanary(image: string): boolean {
  const file = openSync(image, 'r');
  const chunk = Buffer.alloc(8 * 1024 * 1024);
  try {
    for (let position = dataOffset(smallVm); ; position += chunk.length - canary.length) {
      const count = readSync(file, chunk, 0, chunk.length, position);
      if (count === 0) return false;
      if (chunk.subarray(0, count).includes(canary)) return true;
      if (count < chunk.length) return false;
    }
  } finally {
    closeSync(file);
  }
}

export function scenario(name: string): string {
  return join(import.meta.dirname, '../power-cut/scenarios', name);
}
