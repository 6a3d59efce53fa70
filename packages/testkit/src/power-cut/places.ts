import type { DiskRecord } from './disk-record.ts';
import type { PromisedFile } from './files.ts';
import type { Operation } from './operations/operation.ts';

/** Entries of the record, both ends included, between which a cut may fall. */
export interface Place {
  readonly aim: string;
  readonly from: number;
  readonly to: number;
  /** Where within the place; default anywhere. A cut that would have no effect there moves on, but not out of the place. */
  readonly near?: { readonly from: number; readonly to: number };
}

/** As many entries around a step's record as are tried first. */
const nearStep = 16;

/** The part of the record that a cut may fall in: from the begin of the work to a little beyond its end. */
export function wholeRun(record: DiskRecord): Place {
  return { aim: 'spread', from: markIndex(record, 'begin') + 1, to: record.entries.length };
}

/**
 * Right after the record of each step and, the second time round, right before it. After it means up to the next
 * step's record, so that the step is the last on record.
 */
export function placesOfSteps(record: DiskRecord, operation: Operation): readonly Place[] {
  const run = wholeRun(record);
  const marks = operation.steps.map((step) => markIndex(record, `step:${step}`));
  const after = marks.map((mark, index): Place => {
    const [from, to] = [mark + 1, Math.max(mark + 1, marks[index + 1] ?? run.to)];
    return { aim: 'after-step', from, to, near: { from, to: Math.min(to, mark + nearStep) } };
  });
  const before = marks.map((to, index): Place => {
    const from = Math.min(to, (marks[index - 1] ?? run.from - 1) + 1);
    return { aim: 'before-step', from, to, near: { from: Math.max(from, to - nearStep), to } };
  });
  return [...after, ...before];
}

/** The end of a conversion, and every window that the operation has put on record. */
export function windows(record: DiskRecord, operation: Operation): readonly Place[] {
  const marked = record.entries.flatMap(({ mark }, index): Place[] => {
    const name = /^window:(.+):begin$/.exec(mark ?? '')?.[1];
    if (name === undefined) return [];
    const to = record.entries.findIndex((entry, at) => at > index && entry.mark === `window:${name}:end`);
    if (to < 0) throw new Error(`the window ${name} has no end on record`);
    return [{ aim: `window:${name}`, from: index + 1, to }];
  });
  const between = (operation.windows ?? []).map(({ name, after, until }) => ({
    aim: `window:${name}`,
    from: markIndex(record, `step:${after}`) + 1,
    to: markIndex(record, `step:${until}`),
  }));
  const end = operation.conversion === null ? [] : [endWindow(record, operation)];
  return [...end, ...between, ...marked];
}

const endWindowSectors = (24 * 1024 * 1024) / 512;

/**
 * From the last writes of the conversion to its record in the journal: metadata "all is encrypted", the wipe of the work
 * area, the end of the requirement. The wipe alone is 16 MiB, so the window is found by bytes, backwards from the mark.
 */
export function endWindow(record: DiskRecord, { conversion, name }: Operation): Place {
  if (conversion === null) throw new Error(`${name} converts nothing`);
  const to = markIndex(record, `step:${conversion.until}`);
  let sectors = 0;
  let from = to;
  while (from > 0 && sectors < endWindowSectors) {
    from--;
    sectors += record.entries[from]?.sectors ?? 0;
  }
  return { aim: 'window:conversion-end', from, to };
}

/** In the middle of the conversion by bytes, right between two writes of one piece to the data volume. */
export function midConversion(record: DiskRecord, { conversion, name }: Operation): number {
  if (conversion === null) throw new Error(`${name} converts nothing`);
  const from = markIndex(record, `step:${conversion.after}`);
  const to = markIndex(record, `step:${conversion.until}`);
  const writesData = (index: number): boolean => {
    const entry = record.entries[index];
    // Pieces of the conversion are written in large requests, those of the program in the VM are small.
    return entry !== undefined && record.partOf(entry) === 'data' && entry.sectors >= 512;
  };
  const writes = Array.from({ length: to - from }, (_, index) => from + index).filter(writesData);
  const middle = writes.slice(Math.floor(writes.length / 2)).find((index) => writesData(index + 1));
  if (middle === undefined) throw new Error('the record shows no piece of the conversion');
  return middle + 1;
}

/** The last step on record before the cut. */
export function stepBefore(record: DiskRecord, entry: number): string {
  const last = record.entries.slice(0, entry).findLast(({ mark }) => mark?.startsWith('step:'));
  return last?.mark?.slice('step:'.length) ?? 'not-begun';
}

/** The state of the vault at the cut: number of its copy. */
export function vaultBefore(record: DiskRecord, entry: number): number {
  const last = record.entries.slice(0, entry).findLast(({ mark }) => mark?.startsWith('vault:'));
  return Number(last?.mark?.slice('vault:'.length) ?? 0);
}

/** @param before what was promised before the record began. @param told marks, or lines that were told instead */
export function promisedBy(before: readonly PromisedFile[], told: readonly string[]): readonly PromisedFile[] {
  const files = [...before];
  for (const line of told) {
    const [, sha256, path] = /^file:([0-9a-f]{64}):(.+)$/.exec(line) ?? [];
    if (sha256 !== undefined && path !== undefined) files.push({ path, sha256 });
    if (line === 'files:forgotten') files.length = 0;
  }
  return files;
}

function markIndex(record: DiskRecord, text: string): number {
  const index = record.entries.findIndex(({ mark }) => mark === text);
  if (index < 0) throw new Error(`the record has no mark ${text}`);
  return index;
}
