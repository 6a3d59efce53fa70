import type { PromisedFile } from './files.ts';
import type { Random } from './random.ts';
import type { WriteLog } from './write-log.ts';

/** `in-order`: the disk wrote everything in order; `unflushed-lost`: it lost a random part of what it had not flushed. */
export type CutKind = 'in-order' | 'unflushed-lost';

/** One power cut: everything before log entry `entry` happened, nothing after it. */
export interface Cut {
  readonly entry: number;
  readonly kind: CutKind;
  /** Why there: spread over the run, at a step's record, or in the window of cryptsetup's double encryption. */
  readonly aim: 'spread' | 'step' | 'end-window';
}

interface Window {
  readonly from: number;
  readonly to: number;
}

/** The part of the record that a cut may fall in: after the VM was set up, and a little beyond the end. */
function wholeRun(log: WriteLog): Window {
  return { from: markIndex(log, 'begin') + 1, to: log.entries.length };
}

/**
 * From the last writes of the conversion to its record in the journal: metadata "all is encrypted", the wipe of the work
 * area, the end of the requirement. The wipe alone is 16 MiB, so the window is found by bytes, backwards from the mark.
 */
export function endWindow(log: WriteLog): Window {
  const to = markIndex(log, 'step:converted');
  let sectors = 0;
  let from = to;
  while (from > 0 && sectors < endWindowSectors) {
    from--;
    sectors += log.entries[from]?.sectors ?? 0;
  }
  return { from, to };
}

const endWindowSectors = (24 * 1024 * 1024) / 512;

/** In the middle of the conversion by bytes, right between two writes of one piece to the data volume. */
export function midConversion(log: WriteLog, firstDataSector: number): number {
  const window = { from: markIndex(log, 'step:mapped'), to: markIndex(log, 'step:converted') };
  const writesData = (index: number): boolean => {
    const entry = log.entries[index];
    // Pieces of the conversion are written in large requests, those of the program in the VM are small.
    return entry !== undefined && entry.sector >= firstDataSector && entry.sectors >= 512;
  };
  const writes = Array.from({ length: window.to - window.from }, (_, index) => window.from + index).filter(writesData);
  const middle = writes.slice(Math.floor(writes.length / 2)).find((index) => writesData(index + 1));
  if (middle === undefined) throw new Error('the record shows no piece of the conversion');
  return middle + 1;
}

/**
 * Chooses cuts: a fifth in the end window, two fifths right around the records of the steps, the rest spread evenly; half
 * of each with unflushed writes lost.
 */
export function chooseCuts(log: WriteLog, count: number, random: Random): readonly Cut[] {
  const run = wholeRun(log);
  const end = endWindow(log);
  const steps = log.entries.flatMap(({ mark }, index) => (mark?.startsWith('step:') ? [index] : []));
  return Array.from({ length: count }, (_, index): Cut => {
    const kind = index % 2 === 0 ? 'in-order' : 'unflushed-lost';
    const turn = Math.floor(index / 2) % 5;
    if (turn === 0) return { kind, aim: 'end-window', entry: random.between(end.from, end.to + 1) };
    // Step by step, so that each gets its cuts, however few there are.
    const step = steps[Math.floor(index / 2) % steps.length];
    if (turn <= 2 && step !== undefined) {
      return { kind, aim: 'step', entry: Math.max(run.from, step + random.between(-12, 4)) };
    }
    const part = (run.to - run.from) / count;
    return { kind, aim: 'spread', entry: Math.min(run.to, run.from + Math.floor(part * (index + random.next()))) };
  });
}

/** The files that were promised before the cut. */
export function promisedBefore(log: WriteLog, entry: number): readonly PromisedFile[] {
  const files: PromisedFile[] = [];
  for (const { mark } of log.entries.slice(0, entry)) {
    const [, sha256, path] = /^file:([0-9a-f]{64}):(.+)$/.exec(mark ?? '') ?? [];
    if (sha256 !== undefined && path !== undefined) files.push({ path, sha256 });
  }
  return files;
}

/** The last step on record before the cut. */
export function stepBefore(log: WriteLog, entry: number): string {
  for (let index = Math.min(entry, log.entries.length) - 1; index >= 0; index--) {
    const name = log.entries[index]?.mark;
    if (name?.startsWith('step:')) return name.slice('step:'.length);
  }
  return 'not-begun';
}

function markIndex(log: WriteLog, text: string): number {
  const index = log.entries.findIndex(({ mark }) => mark === text);
  if (index < 0) throw new Error(`the record has no mark ${text}`);
  return index;
}
