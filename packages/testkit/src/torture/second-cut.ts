import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { scratch } from '../lab/scratch.ts';
import { runInUml } from '../lab/uml.ts';
import type { Cut } from '../power-cut/cuts.ts';
import { DiskRecord } from '../power-cut/disk-record.ts';
import { fateOf } from '../power-cut/fate.ts';
import type { PromisedFile } from '../power-cut/files.ts';
import { Random } from '../power-cut/random.ts';
import type { RecoverInput } from '../power-cut/scenarios/recover.ts';
import { recordedDisks } from '../power-cut/small-vm.ts';
import { imageAfter } from './cut.ts';
import { copyOfDisk, emptyFile, logBytes, promisedBefore, type Recording, scenario } from './recording.ts';
import { type Recovery, recover, recoverInput } from './recovery.ts';

/** The power went in mid-conversion; the boot after it is on record up to the open volume, so that it can be cut again. */
export interface RecordedRecovery {
  readonly folder: string;
  readonly recording: Recording;
  readonly promised: readonly PromisedFile[];
  readonly record: DiskRecord;
  /** Entries between which the unlock works. */
  readonly from: number;
  readonly to: number;
}

/** @param entry the first cut, in the record of the operation */
export async function recordRecovery(recording: Recording, entry: number): Promise<RecordedRecovery> {
  const { folder } = await imageAfter(recording, { entry, kind: 'in-order', loss: null, aim: 'spread' }, 1);
  // The machine of the record gets a copy: cuts begin from the disk as the first power cut has left it.
  const copy = join(folder, 'copy.img');
  await copyOfDisk(join(folder, 'disk.img'), copy);
  const logs = recordedDisks.slice(1).map((name) => join(folder, name));
  for (const log of logs) emptyFile(log, logBytes);
  const input: RecoverInput = { ...recoverInput(recording, []), record: true };
  const keep = join(folder, 'keep');
  await runInUml<null>({ scenario: scenario('recover.ts'), input, disks: [copy, ...logs], keep, timeoutSeconds: 180 });
  rmSync(copy);
  const record = DiskRecord.open(folder, recording.vm);
  const [from = -1, to = -1] = ['unlock-begin', 'unlock-end'].map((mark) =>
    record.entries.findIndex((one) => one.mark === mark),
  );
  return { folder, recording, promised: promisedBefore(recording, entry), record, from, to };
}

export function discardRecovery(recovery: RecordedRecovery): void {
  rmSync(recovery.folder, { recursive: true, force: true });
}

/** Cuts the recovery at an entry of its record, boots a third machine, and looks at every promised file. */
export async function trySecondCut(first: RecordedRecovery, cut: Cut, cutSeed: number): Promise<Recovery> {
  const folder = mkdtempSync(join(scratch(), 'kannuki-cut-'));
  try {
    const image = join(folder, 'disk.img');
    await copyOfDisk(join(first.folder, 'disk.img'), image);
    // An unlock changes nothing in the vault.
    cpSync(join(first.folder, 'keep'), join(folder, 'keep'), { recursive: true });
    const { kept } = fateOf(first.record, cut, first.recording.fileSystem, new Random(cutSeed));
    first.record.replay(image, cut.entry, kept);
    return await recover(first.recording, folder, first.promised);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
