import { cpSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratch } from '../lab/scratch.ts';
import { runInUml } from '../lab/uml.ts';
import { type CutKind, promisedBefore, stepBefore } from '../power-cut/cuts.ts';
import type { Random } from '../power-cut/random.ts';
import type { FormatWorkInput, FormatWorkResult } from '../power-cut/scenarios/format-then-write.ts';
import type { RecoverFormatInput, RecoverFormatResult } from '../power-cut/scenarios/recover-format.ts';
import { diskBytes, smallVmFor } from '../power-cut/small-vm.ts';
import { loseSome, WriteLog } from '../power-cut/write-log.ts';
import { filledMiB, holdsCanary, logBytes, scenario } from './encrypt.ts';
import { labVaultUrl, makeLabVault } from './lab-vault.ts';

export interface FormatRecording {
  readonly folder: string;
  readonly log: WriteLog;
}

const fileSystem = 'ext4';
const vm = smallVmFor(fileSystem);

/** Runs one whole format in a lab machine with every write on record. */
export async function recordFormat(seed: number): Promise<FormatRecording> {
  const folder = mkdtempSync(join(scratch(), 'kannuki-record-'));
  const disk = join(folder, 'disk.img');
  const logFile = join(folder, 'log.img');
  makeSparse(disk, diskBytes(vm));
  makeSparse(logFile, logBytes);
  const keep = join(folder, 'keep');
  mkdirSync(keep);
  const { vaultUrl, kekId } = await makeLabVault(keep);
  const { step } = await runInUml<FormatWorkResult>({
    scenario: scenario('format-then-write.ts'),
    input: { vm, seed, fileSystem, vaultUrl, kekId, filledMiB } satisfies FormatWorkInput,
    disks: [disk, logFile],
    keep,
    memoryMiB: 512,
    timeoutSeconds: 300,
  });
  if (step !== 'finished') throw new Error(`the recorded run ended at ${step}`);
  rmSync(disk);
  return { folder, log: WriteLog.open(logFile) };
}

export interface FormatCut {
  readonly entry: number;
  readonly kind: CutKind;
}

export interface FormatOutcome extends FormatCut {
  readonly step: string;
  readonly ok: boolean;
  readonly found: RecoverFormatResult | null;
  readonly plaintextFound: boolean;
  readonly failure: string | null;
}

/** Right before and right after each step's record, then evenly over the run; every second one loses unflushed writes. */
export function chooseFormatCuts(log: WriteLog, count: number, random: Random): readonly FormatCut[] {
  const begin = log.entries.findIndex(({ mark }) => mark === 'begin') + 1;
  const steps = log.entries.flatMap(({ mark }, index) => (mark?.startsWith('step:') ? [index] : []));
  return Array.from({ length: count }, (_, index): FormatCut => {
    const kind = index % 2 === 0 ? 'in-order' : 'unflushed-lost';
    const step = steps[index];
    const entry =
      step === undefined
        ? random.between(begin, log.entries.length + 1)
        : Math.max(begin, step + random.between(-10, 6));
    return { entry, kind };
  });
}

/** Cuts the power at one entry, boots a fresh machine from what is left and lets the agent go on. */
export async function tryFormatCut(recording: FormatRecording, cut: FormatCut, random: Random): Promise<FormatOutcome> {
  const { log } = recording;
  const folder = mkdtempSync(join(scratch(), 'kannuki-cut-'));
  const image = join(folder, 'disk.img');
  const step = stepBefore(log, cut.entry);
  try {
    makeSparse(image, diskBytes(vm));
    const lost = cut.kind === 'unflushed-lost' ? loseSome(log.unflushedBefore(cut.entry), random) : undefined;
    log.replay(image, 0, cut.entry, lost);
    cpSync(join(recording.folder, 'keep'), join(folder, 'keep'), { recursive: true });
    const promised = promisedBefore(log, cut.entry);
    const found = await runInUml<RecoverFormatResult>({
      scenario: scenario('recover-format.ts'),
      input: { vm, fileSystem, vaultUrl: labVaultUrl, promised } satisfies RecoverFormatInput,
      disks: [image],
      keep: join(folder, 'keep'),
      timeoutSeconds: 180,
    });
    const plaintextFound = found.state === 'Encrypted' && holdsCanary(image);
    return { ...cut, step, ok: isRight(found) && !plaintextFound, found, plaintextFound, failure: null };
  } catch (error) {
    const failure = error instanceof Error ? error.message : String(error);
    return { ...cut, step, ok: false, found: null, plaintextFound: false, failure };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const stillOld = [null, 'planned', 'passphrase-escrowed', 'header-prepared', 'header-escrowed'];

/** Either the old volume with all its files, or the new one with all that was promised since; never something between. */
function isRight(found: RecoverFormatResult): boolean {
  if (stillOld.includes(found.foundStep) && !found.oldIsWhole) return false;
  if (!found.fileSystemIsClean || found.problems.length > 0) return false;
  if (found.foundStep === null) return found.state === 'NotEncrypted' && found.oldFiles === filledMiB;
  return (
    found.state === 'Encrypted' &&
    found.lastStep === 'finished' &&
    found.oldFiles === 0 &&
    found.damagedNew.length === 0
  );
}

function makeSparse(path: string, bytes: number): void {
  writeFileSync(path, '');
  truncateSync(path, bytes);
}
