import { parseArgs } from 'node:util';
import { Random } from '../power-cut/random.ts';
import { type CutOutcome, discardRecording, type FileSystem, recordEncryption, tryCuts } from './encrypt.ts';
import { type KillOutcome, tryKill } from './kill.ts';

/**
 * `npm run torture -- --operation encrypt --cuts N --seed S [--json]`: N power cuts of an encryption in place, each
 * recovered by a fresh lab machine. The same seed cuts at the same places. Ends with 1 when a single file was damaged
 * or a single boot needed a hand.
 */
const { values } = parseArgs({
  options: {
    operation: { type: 'string', default: 'encrypt' },
    cuts: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
const cuts = Number(values.cuts);
const seed = Number(values.seed);
if (
  values.operation !== 'encrypt' ||
  !Number.isSafeInteger(cuts) ||
  cuts < 1 ||
  cuts > 100_000 ||
  !Number.isSafeInteger(seed)
) {
  process.stderr.write('usage: npm run torture -- --operation encrypt --cuts 1..100000 --seed WHOLE-NUMBER [--json]\n');
  process.exit(2);
}

/** One kill of the whole machine for so many cuts by record: it is the independent kind, and the slow one. */
const killsPer = 12;
const perRecording = 250;
const kills = Math.floor(cuts / killsPer);
const outcomes: CutOutcome[] = [];
const killOutcomes: KillOutcome[] = [];
const random = new Random(seed);
let told = 0;
let left = cuts - kills;
for (let round = 0; left > 0; round++) {
  const count = Math.min(left, round === 0 ? Math.ceil(Math.min(left, 2 * perRecording) / 2) : perRecording);
  const fileSystem: FileSystem = round % 2 === 0 ? 'ext4' : 'xfs';
  const recording = await recordEncryption(random.between(1, 2 ** 31), fileSystem);
  try {
    outcomes.push(...(await tryCuts(recording, count, random.between(1, 2 ** 31), tell)));
  } finally {
    discardRecording(recording);
  }
  left -= count;
}
for (let index = 0; index < kills; index++) {
  const outcome = await tryKill(random.between(1, 2 ** 31), index % 2 === 0 ? 'ext4' : 'xfs');
  killOutcomes.push(outcome);
  progress(
    `kill ${index + 1}/${kills} at ${outcome.killedAt}: ${outcome.ok ? 'ok' : `FAILED ${outcome.failure ?? outcome.damaged.join(', ')}`}`,
  );
}

const all = [...outcomes, ...killOutcomes];
const report = {
  operation: 'encrypt',
  seed,
  cuts: all.length,
  survived: all.filter(({ ok }) => ok).length,
  filesPromised: sum(all.map(({ promised }) => promised)),
  filesDamaged: sum(all.map(({ damaged }) => damaged.length)),
  bootsThatNeededAHand: all.filter(({ failure }) => failure !== null).length,
  byKind: countBy([...outcomes.map(({ kind }) => kind), ...killOutcomes.map(() => 'machine-killed')]),
  byAim: countBy(outcomes.map(({ aim }) => aim)),
  byStep: countBy([...outcomes.map(({ step }) => step), ...killOutcomes.map(({ killedAt }) => killedAt)]),
  byFileSystem: countBy(all.map(({ fileSystem }) => fileSystem)),
  failures: all.filter(({ ok }) => !ok),
};
process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : table(report));
process.exitCode = report.failures.length === 0 ? 0 : 1;

function tell(outcome: CutOutcome): void {
  told += 1;
  const verdict = outcome.ok
    ? 'ok'
    : `FAILED ${outcome.failure ?? `${outcome.state}, damaged: ${outcome.damaged.join(', ')}`}`;
  progress(
    `cut ${told}/${cuts - kills} ${outcome.fileSystem} entry ${outcome.entry} (${outcome.kind}, ${outcome.aim}, after ${outcome.step}): ${verdict}`,
  );
}

function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function countBy(names: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

function table(rows: Readonly<Record<string, unknown>>): string {
  return Object.entries(rows)
    .map(([name, value]) => `${name.padEnd(22)} ${JSON.stringify(value)}\n`)
    .join('');
}
