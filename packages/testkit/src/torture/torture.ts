import type { Operation } from '../power-cut/operations/operation.ts';
import { Random } from '../power-cut/random.ts';
import { type CutOutcome, tryCuts } from './cut.ts';
import { type KillOutcome, tryKill } from './kill.ts';
import { discardRecording, recordOperation } from './recording.ts';
import { type OperationReport, reportOf } from './report.ts';
import { sideBySide } from './side-by-side.ts';

/** One kill of the whole machine for so many cuts by record: it is the independent kind, and the slow one. */
const killsPer = 20;
/** A new recording after so many cuts: another timing of the same work. */
const perRecording = 250;
/** At a time. */
const machines = 2;
const allFileSystems = ['ext4', 'xfs'] as const;

/** So many power cuts of one operation, on its file systems by turns. The same seed makes the same choices. */
export async function torture(
  operation: Operation,
  cuts: number,
  seed: number,
  tell: (line: string) => void,
): Promise<OperationReport> {
  const random = new Random(seed);
  const outcomes: CutOutcome[] = [];
  const killed: KillOutcome[] = [];
  const tellCut = (outcome: CutOutcome): void => {
    outcomes.push(outcome);
    tell(`${operation.name} ${outcomes.length + killed.length}/${cuts} ${cutLine(outcome)}`);
  };
  let left = cuts;
  for (let round = 0; left > 0; round++) {
    const count = Math.min(left, round === 0 ? Math.ceil(Math.min(left, 2 * perRecording) / 2) : perRecording);
    const kills = Math.floor(count / killsPer);
    const { fileSystems = allFileSystems } = operation;
    const fileSystem = fileSystems[round % fileSystems.length] ?? 'ext4';
    const recording = await recordOperation(operation, random.between(1, 2 ** 31), fileSystem);
    try {
      await tryCuts(recording, count - kills, random.between(1, 2 ** 31), tellCut, machines);
      const seeds = Array.from({ length: kills }, () => random.between(1, 2 ** 31));
      await sideBySide(seeds, machines, async (killSeed) => {
        const outcome = await tryKill(recording, killSeed);
        killed.push(outcome);
        const { killedAt } = outcome;
        tell(
          `${operation.name} ${outcomes.length + killed.length}/${cuts} ${fileSystem} killed at ${killedAt}: ${verdict(outcome)}`,
        );
      });
    } finally {
      discardRecording(recording);
    }
    left -= count;
  }
  return reportOf(operation, outcomes, killed);
}

export function cutLine(outcome: CutOutcome): string {
  const { fileSystem, entry, kind, loss, aim, step, cutSeed } = outcome;
  const lost = loss === null ? '' : ` state ${loss.state} data ${loss.data}`;
  return `${fileSystem} entry ${entry} (${kind}${lost}, ${aim}, after ${step}, cut seed ${cutSeed}): ${verdict(outcome)}`;
}

function verdict({ ok, failure, damaged, wrongs }: CutOutcome | KillOutcome): string {
  if (ok) return 'ok';
  return `FAILED ${failure ?? [...wrongs, ...damaged.map((path) => `damaged: ${path}`)].join('; ')}`;
}
