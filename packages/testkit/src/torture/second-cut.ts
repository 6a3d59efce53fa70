import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { scratch } from '../lab/scratch.ts';
import { runInUml } from '../lab/uml.ts';
import { DiskRecord } from '../power-cut/disk-record.ts';
import { fateOf } from '../power-cut/fate.ts';
import type { PromisedFile } from '../power-cut/files.ts';
import { Random } from '../power-cut/random.ts';
import type { RecordRecoveryInput } from '../power-cut/scenarios/record-recovery.ts';
import { recordedDisks } from '../power-cut/small-vm.ts';
import { imageAfter, type SeededCut } from './cut.ts';
import { copyOfDisk, emptyFile, logBytes, promisedBefore, type Recording, scenario } from './recording.ts';
import { type Recovery, recover } from './recovery.ts';

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
  const folder = join(mkdtempSync(join(scratch(), 'kannuki-first-cut-')), 'vm');
  await imageAfter(recording, { entry, kind: 'in-order', loss: null, aim: 'spread' }, 1, folder);
  // The machine of the record gets a copy: cuts begin from the disk as the first power cut has left it.
  const copy = join(folder, 'copy.img');
  await copyOfDisk(join(folder, 'disk.img'), copy);
  const logs = recordedDisks.slice(1).map((name) => join(folder, name));
  for (const log of logs) emptyFile(log, logBytes);
  const { vm, vaultUrl } = recording;
  await runInUml<null>({
    scenario: scenario('record-recovery.ts'),
    input: { vm, vaultUrl } satisfies RecordRecoveryInput,
    disks: [copy, ...logs],
    keep: join(folder, 'keep'),
    timeoutSeconds: 180,
  });
  rmSync(copy);
  const record = DiskRecord.open(folder, recording.vm);
  const [from = -1, to = -1] = ['unlock-begin', 'unlock-end'].map((mark) =>
    record.entries.findIndex((one) => one.mark === mark),
  );
  return { folder, recording, promised: promisedBefore(recording, entry), record, from, to };
}

export function discardRecovery(recovery: RecordedRecovery): void {
  rmSync(dirname(recovery.folder), { recursive: true, force: true });
}

/** Cuts the recovery at entries of its record, boots from what each has left, and looks at every promised file. */
export async function trySecondCuts(
  { folder: firstFolder, recording, record, promised }: RecordedRecovery,
  cuts: readonly SeededCut[],
): Promise<readonly Recovery[]> {
  const folder = mkdtempSync(join(scratch(), 'kannuki-second-cut-'));
  try {
    for (const [index, cut] of cuts.entries()) {
      // An unlock changes nothing in the vault.
      cpSync(join(firstFolder, 'keep'), join(folder, String(index), 'keep'), { recursive: true });
      const image = join(folder, String(index), 'disk.img');
      await copyOfDisk(join(firstFolder, 'disk.img'), image);
      const { kept } = fateOf(record, cut, recording.fileSystem, new Random(cut.cutSeed));
      record.replay(image, cut.entry, kept);
    }
    return await recover(
      recording,
      folder,
      cuts.map((_, index) => ({ name: String(index), promised })),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
