import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { scratch } from '../lab/scratch.ts';
import { type Cut, chooseCuts } from '../power-cut/cuts.ts';
import { type Fate, fateOf } from '../power-cut/fate.ts';
import { stepBefore, vaultBefore } from '../power-cut/places.ts';
import { Random } from '../power-cut/random.ts';
import { copyOfDisk, type FileSystem, promisedBefore, type Recording, takeVaultCopy } from './recording.ts';
import { type RecoverOptions, type Recovery, recover } from './recovery.ts';

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
export async function imageAfter(
  recording: Recording,
  cut: Cut,
  cutSeed: number,
): Promise<{ readonly folder: string; readonly fate: Fate }> {
  const folder = mkdtempSync(join(scratch(), 'kannuki-cut-'));
  const image = join(folder, 'disk.img');
  await copyOfDisk(join(recording.folder, 'disk.img'), image);
  const fate = fateOf(recording.record, cut, recording.fileSystem, new Random(cutSeed));
  recording.record.replay(image, cut.entry, fate.kept);
  takeVaultCopy(join(recording.folder, 'keep'), join(folder, 'keep'), vaultBefore(recording.record, cut.entry));
  return { folder, fate };
}

/** Cuts the power at one entry, boots a fresh machine from what is left, and looks at every promised file. */
export async function tryCut(
  recording: Recording,
  cut: Cut,
  cutSeed: number,
  options: RecoverOptions = {},
): Promise<CutOutcome> {
  const { folder, fate } = await imageAfter(recording, cut, cutSeed);
  try {
    const recovery = await recover(recording, folder, promisedBefore(recording, cut.entry), options);
    return {
      operation: recording.operation.name,
      fileSystem: recording.fileSystem,
      ...cut,
      step: stepBefore(recording.record, cut.entry),
      cutSeed,
      lost: fate.lost,
      torn: fate.torn,
      ...recovery,
    };
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
  const waiting = chooseCuts(record, operation, fileSystem, count, random).map((cut) => ({
    cut,
    cutSeed: random.between(0, 2 ** 31),
  }));
  const outcomes: CutOutcome[] = [];
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const outcome = await tryCut(recording, next.cut, next.cutSeed);
      outcomes.push(outcome);
      onOutcome(outcome);
    }
  };
  await Promise.all(Array.from({ length: machines }, worker));
  return outcomes;
}
