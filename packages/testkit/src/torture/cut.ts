import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { scratch } from '../lab/scratch.ts';
import { type Cut, chooseCuts } from '../power-cut/cuts.ts';
import { type Fate, fateOf } from '../power-cut/fate.ts';
import { stepBefore, vaultBefore } from '../power-cut/places.ts';
import { Random } from '../power-cut/random.ts';
import { copyOfDisk, type FileSystem, promisedBefore, type Recording, takeVaultCopy } from './recording.ts';
import { cutsOfAMachine, type RecoverOptions, type Recovery, recover } from './recovery.ts';
import { sideBySide } from './side-by-side.ts';

export interface CutOutcome extends Cut, Recovery {
  readonly operation: string;
  readonly fileSystem: FileSystem;
  /** The last step on record before the cut. */
  readonly step: string;
  /** Decides which writes are lost, or where one is torn. */
  readonly cutSeed: number;
  readonly lost: Fate['lost'];
  readonly torn: Fate['torn'];
}

/** The disk and the vault as a power cut at an entry of the record leaves them: FOLDER/disk.img, FOLDER/keep. */
export async function imageAfter(recording: Recording, cut: Cut, cutSeed: number, folder: string): Promise<Fate> {
  mkdirSync(folder);
  const image = join(folder, 'disk.img');
  await copyOfDisk(join(recording.folder, 'disk.img'), image);
  const fate = fateOf(recording.record, cut, recording.fileSystem, new Random(cutSeed));
  recording.record.replay(image, cut.entry, fate.kept);
  takeVaultCopy(join(recording.folder, 'keep'), join(folder, 'keep'), vaultBefore(recording.record, cut.entry));
  return fate;
}

export interface SeededCut extends Cut {
  readonly cutSeed: number;
}

/** Cuts the power at each of the entries, boots from what each has left, and looks at every promised file. */
export async function tryTheseCuts(
  recording: Recording,
  cuts: readonly SeededCut[],
  options: RecoverOptions = {},
): Promise<readonly CutOutcome[]> {
  const { record, operation, fileSystem } = recording;
  const folder = mkdtempSync(join(scratch(), 'kannuki-cut-'));
  try {
    const fates: Fate[] = [];
    for (const [index, cut] of cuts.entries()) {
      fates.push(await imageAfter(recording, cut, cut.cutSeed, join(folder, String(index))));
    }
    const disks = cuts.map(({ entry }, index) => ({ name: String(index), promised: promisedBefore(recording, entry) }));
    const recoveries = await recover(recording, folder, disks, options);
    return cuts.flatMap((cut, index): readonly CutOutcome[] => {
      const [fate, recovery] = [fates[index], recoveries[index]];
      if (fate === undefined || recovery === undefined) throw new Error(`nothing is known of cut ${index}`);
      const { lost, torn } = fate;
      const step = stepBefore(record, cut.entry);
      return [{ operation: operation.name, fileSystem, ...cut, step, lost, torn, ...recovery }];
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Tries many cuts of one recording. @param machines at a time */
export async function tryCuts(
  recording: Recording,
  count: number,
  seed: number,
  onOutcome: (outcome: CutOutcome) => void,
  machines = 2,
): Promise<readonly CutOutcome[]> {
  const random = new Random(seed);
  const { record, operation, fileSystem } = recording;
  const waiting: SeededCut[] = chooseCuts(record, operation, fileSystem, count, random).map((cut) => ({
    ...cut,
    cutSeed: random.between(0, 2 ** 31),
  }));
  const batches: SeededCut[][] = [];
  while (waiting.length > 0) batches.push(waiting.splice(0, cutsOfAMachine));
  const outcomes: CutOutcome[] = [];
  await sideBySide(batches, machines, async (batch) => {
    for (const outcome of await tryTheseCuts(recording, batch)) {
      outcomes.push(outcome);
      onOutcome(outcome);
    }
  });
  return outcomes;
}
