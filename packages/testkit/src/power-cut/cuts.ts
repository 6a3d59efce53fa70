import { type DiskRecord, parts } from './disk-record.ts';
import { tearable } from './fate.ts';
import type { Operation } from './operations/operation.ts';
import { type Place, placesOfSteps, wholeRun, windows } from './places.ts';
import type { Random } from './random.ts';

/**
 * `in-order`: everything before the cut was written; `unflushed-lost`: each disk lost none, some or all of what it had
 * not flushed; `torn`: the last write that was not flushed is there only in part.
 */
export type CutKind = 'in-order' | 'unflushed-lost' | 'torn';
export type Extent = 'none' | 'some' | 'all';
/** How much of what was not flushed each of the two disks loses. */
export type Loss = Readonly<Record<'state' | 'data', Extent>>;

/** One power cut: everything before log entry `entry` happened, nothing after it. */
export interface Cut {
  readonly entry: number;
  readonly kind: CutKind;
  /** Only of kind `unflushed-lost`. */
  readonly loss: Loss | null;
  /** Why there: spread over the run, right around a step's record, or in a window (`window:NAME`). */
  readonly aim: string;
}

/** Half of the cuts lose writes: that is what disks do. */
const kinds: readonly CutKind[] = ['in-order', 'unflushed-lost', 'torn', 'unflushed-lost'];

/** Both disks independently; the two that tear header and data apart the most come first and twice. */
const losses: readonly Loss[] = [
  { state: 'all', data: 'none' },
  { state: 'none', data: 'all' },
  { state: 'some', data: 'some' },
  { state: 'all', data: 'all' },
  { state: 'none', data: 'some' },
  { state: 'all', data: 'none' },
  { state: 'none', data: 'all' },
  { state: 'some', data: 'none' },
  { state: 'all', data: 'some' },
  { state: 'some', data: 'all' },
];

/**
 * Chooses cuts: two fifths right around the records of the steps, a fifth in the windows, the rest spread evenly over the
 * run. With as many cuts as there are steps each step is hit, for they come first; with as many more as there are windows, each window.
 * @throws Error when the record has not the marks of all steps
 */
export function chooseCuts(
  record: DiskRecord,
  operation: Operation,
  fileSystem: 'ext4' | 'xfs',
  count: number,
  random: Random,
): readonly Cut[] {
  const steps = placesOfSteps(record, operation);
  const aimed = windows(record, operation);
  const stepCuts = Math.max(Math.ceil((2 * count) / 5), Math.min(count, operation.steps.length));
  const windowCuts = aimed.length === 0 ? 0 : Math.min(count - stepCuts, Math.max(Math.ceil(count / 5), aimed.length));
  const spread = count - stepCuts - windowCuts;
  const run = wholeRun(record);
  const wanted = (place: Place): Place & { readonly at: number } => ({
    ...place,
    at: random.between((place.near ?? place).from, (place.near ?? place).to + 1),
  });
  const places = [
    ...cycle(steps, stepCuts).map(wanted),
    ...cycle(aimed, windowCuts).map(wanted),
    ...Array.from({ length: spread }, (_, index) => {
      const part = (run.to - run.from) / spread;
      return wanted({
        aim: 'spread',
        from: Math.floor(run.from + part * index),
        to: Math.floor(run.from + part * (index + 1)),
      });
    }),
  ];
  // Of which kind goes on from one use of these two to the next: cuts of one kind must not all be at the same step.
  const turns = { kind: random.between(0, kinds.length), loss: 0 };
  return places.map((place, index) => {
    const around = Math.floor(index / steps.length);
    const kind = kinds[(turns.kind + index + around) % kinds.length] ?? 'in-order';
    const loss = kind === 'unflushed-lost' ? (losses[turns.loss++ % losses.length] ?? null) : null;
    const entry = nearest(place, (at) => hasEffect(record, { kind, loss, entry: at }, fileSystem));
    return { entry, kind, loss, aim: place.aim };
  });
}

/** Whether this cut takes what its kind says; at a place where nothing waits for a flush it would be a cut in order. */
function hasEffect(
  record: DiskRecord,
  { kind, loss, entry }: Pick<Cut, 'kind' | 'loss' | 'entry'>,
  fileSystem: 'ext4' | 'xfs',
): boolean {
  if (kind === 'torn') return tearable(record, entry, fileSystem) !== undefined;
  if (loss === null) return true;
  return parts.some((part) => loss[part] !== 'none' && record.unflushedBefore(entry, part).length > 0);
}

/** The entry next to the wanted one, within the place, where the cut has its effect; the wanted one if there is none. */
function nearest(place: Place & { readonly at: number }, isGood: (entry: number) => boolean): number {
  for (let distance = 0; distance <= place.to - place.from; distance++) {
    for (const entry of [place.at + distance, place.at - distance]) {
      if (entry >= place.from && entry <= place.to && isGood(entry)) return entry;
    }
  }
  return place.at;
}

function cycle<Item>(items: readonly Item[], count: number): Item[] {
  return Array.from({ length: count }, (_, index) => items[index % items.length]).filter((item) => item !== undefined);
}
