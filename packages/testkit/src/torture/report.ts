import type { CutKind } from '../power-cut/cuts.ts';
import type { Operation } from '../power-cut/operations/operation.ts';
import type { CutOutcome } from './cut.ts';
import type { KillOutcome } from './kill.ts';

type Counts = Readonly<Record<string, number>>;

/** What the cuts of one operation came to. */
export interface OperationReport {
  readonly operation: string;
  readonly cuts: number;
  readonly survived: number;
  readonly filesPromised: number;
  readonly filesDamaged: number;
  readonly bootsThatNeededAHand: number;
  /** By the last step on record before the cut. */
  readonly byStep: Counts;
  readonly stepsNotHit: readonly string[];
  /** As asked for; a killed machine is a kind of its own. */
  readonly byKind: Counts;
  /** As it was: how much of what waited for a flush each disk really lost, e.g. `state all, data none`; only cuts that lost or tore something. */
  readonly byLoss: Counts;
  readonly byAim: Counts;
  readonly byFileSystem: Counts;
  /** Mean of where the time of a recovery went. */
  readonly secondsPerCut: Counts;
  /** Each can be had again by file system, entry, kind, loss and cutSeed. */
  readonly failures: readonly (CutOutcome | KillOutcome)[];
}

export function reportOf(
  operation: Operation,
  outcomes: readonly CutOutcome[],
  kills: readonly KillOutcome[],
): OperationReport {
  const all = [...outcomes, ...kills];
  const byStep = countBy([...outcomes.map(({ step }) => step), ...kills.map(({ killedAt }) => killedAt)]);
  return {
    operation: operation.name,
    cuts: all.length,
    survived: all.filter(({ ok }) => ok).length,
    filesPromised: sum(all.map(({ promised }) => promised)),
    filesDamaged: sum(all.map(({ damaged }) => damaged.length)),
    bootsThatNeededAHand: all.filter(({ failure }) => failure !== null).length,
    byStep,
    stepsNotHit: operation.steps.filter((step) => byStep[step] === undefined),
    byKind: countBy([...outcomes.map(({ kind }): CutKind => kind), ...kills.map(() => 'machine-killed')]),
    byLoss: countBy(outcomes.map(lossOf).filter((loss) => loss !== 'nothing')),
    byAim: countBy(outcomes.map(({ aim }) => aim)),
    byFileSystem: countBy(all.map(({ fileSystem }) => fileSystem)),
    secondsPerCut: meanSeconds(all),
    failures: all.filter(({ ok }) => !ok),
  };
}

/** What the cut took, in words: `torn`, `nothing`, or `state all, data none`. */
export function lossOf({ lost, torn }: CutOutcome): string {
  if (torn !== null) return 'torn';
  if (lost.state.writes + lost.data.writes === 0) return 'nothing';
  return `state ${extentOf(lost.state)}, data ${extentOf(lost.data)}`;
}

function extentOf({ writes, of }: { readonly writes: number; readonly of: number }): string {
  if (writes === 0) return 'none';
  return writes === of ? 'all' : 'some';
}

/** For people: one block an operation. */
export function tableOf(reports: readonly OperationReport[]): string {
  return reports.map((report) => `${Object.entries(report).map(rowOf).join('')}\n`).join('');
}

function rowOf([name, value]: readonly [string, unknown]): string {
  const isCounts = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isCounts) return `${name.padEnd(22)} ${typeof value === 'string' ? value : JSON.stringify(value)}\n`;
  const rows = Object.entries(value).map(([key, count]) => `  ${key.padEnd(28)} ${String(count).padStart(6)}\n`);
  return `${name}\n${rows.join('')}`;
}

function meanSeconds(all: readonly (CutOutcome | KillOutcome)[]): Counts {
  const measured = all.flatMap(({ seconds }) => seconds ?? []);
  const mean = (numbers: readonly number[]): number => Math.round((100 * sum(numbers)) / numbers.length) / 100;
  if (measured.length === 0) return {};
  return {
    state: mean(measured.map(({ state }) => state)),
    goOn: mean(measured.map(({ goOn }) => goOn)),
    check: mean(measured.map(({ check }) => check)),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function countBy(names: readonly string[]): Counts {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
