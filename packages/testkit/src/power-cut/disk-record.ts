import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { dataOffset, recordedDisks, type SmallVm } from './small-vm.ts';
import { type LogEntry, WriteLog } from './write-log.ts';

export const parts = ['state', 'data'] as const;
/** The two partitions, which cuts take for two disks. */
export type Part = (typeof parts)[number];

/** More writes than a disk of the lab ever has under way at once. */
const mostUnderWay = 256;

/** How many sectors of an entry reached the disk: all, none, or the first so many. */
export type KeptSectors = (index: number, entry: LogEntry) => number;

/**
 * Everything that was written to both disks, in one order, and from when on each write was lasting on its own disk.
 *
 * The recorder below both partitions gives the order, but its flushes do not say who asked: device mapper makes an empty bio of
 * its own of each. So each partition has a recorder of its own, too, whose flushes are only its own; two logs alone
 * would have no common order. What ties them together is a bound that always holds: a write that the flush n of a
 * partition covers had completed before that flush came to the recorder below, so that it is in the log there before the
 * flush that n is there; and flushes complete in the same order at both. So flush n is, below, not earlier than the first
 * flush after all writes that n covers, and later than where flush n-1 can be. We take a write for lasting from that
 * earliest place on. The truth may be a little later, never earlier: what a cut loses could really have been lost.
 *
 * dm-log-writes puts writes into the log when a flush covers them (FUA writes and marks at once). A cut between two writes of
 * one group is the moment before that group's flush completes: nothing of the group is certain.
 */
export class DiskRecord {
  readonly entries: readonly LogEntry[];
  readonly #all: WriteLog;
  readonly #firstDataSector: number;
  /** By entry: the entry whose completion made it lasting. */
  readonly #lastingFrom: Float64Array;

  private constructor(folder: string, vm: SmallVm) {
    const [all, state, data] = recordedDisks.slice(1).map((name) => WriteLog.open(join(folder, name)));
    if (all === undefined || state === undefined || data === undefined) throw new Error('logs are missing');
    this.#all = all;
    this.entries = all.entries;
    this.#firstDataSector = dataOffset(vm) / 512;
    this.#lastingFrom = new Float64Array(all.entries.length).fill(Number.POSITIVE_INFINITY);
    this.#fill('state', state.entries, 0);
    this.#fill('data', data.entries, this.#firstDataSector);
  }

  /** @param folder holds the logs of a recorded machine by the names of `recordedDisks` */
  static open(folder: string, vm: SmallVm): DiskRecord {
    return new DiskRecord(folder, vm);
  }

  partOf(entry: LogEntry): Part {
    return entry.sector >= this.#firstDataSector ? 'data' : 'state';
  }

  /** First sector of a partition on the disk. */
  firstSector(part: Part): number {
    return part === 'state' ? 0 : this.#firstDataSector;
  }

  /** Writes before a cut that their disk may have lost, in order. A disk with a volatile cache may lose any subset of them. */
  unflushedBefore(cut: number, part: Part): readonly number[] {
    const unflushed: number[] = [];
    for (const [index, entry] of this.entries.slice(0, cut).entries()) {
      const isWrite = entry.mark === undefined && entry.sectors > 0;
      if (isWrite && (this.#lastingFrom[index] ?? 0) >= cut && this.partOf(entry) === part) unflushed.push(index);
    }
    return unflushed;
  }

  /** Brings an image from the begin of the record to a cut. From the end backwards: each sector is written once at most. */
  replay(image: string, cut: number, kept: KeptSectors): void {
    const size = this.entries.reduce((end, { sector, sectors }) => Math.max(end, sector + sectors), 0);
    const isDone = new Uint8Array(size);
    const disk = openSync(image, 'r+');
    try {
      this.#all.withData((read) => {
        for (let index = Math.min(cut, this.entries.length) - 1; index >= 0; index--) {
          const entry = this.entries[index];
          if (entry === undefined || entry.mark !== undefined) continue;
          const end = kept(index, entry);
          for (const [from, to] of freeRuns(isDone, entry.sector, end)) {
            writeSync(disk, read(entry, from, to - from), 0, (to - from) * 512, (entry.sector + from) * 512);
          }
          isDone.fill(1, entry.sector, entry.sector + end);
        }
      });
    } finally {
      closeSync(disk);
    }
  }

  #fill(part: Part, own: readonly LogEntry[], firstSector: number): void {
    const waiting = this.entries.flatMap((entry, index) =>
      isCached(entry) && this.partOf(entry) === part ? [index] : [],
    );
    const nextFlush = this.#nextFlushes();
    for (const [index, entry] of this.entries.entries()) {
      if (entry.isFua && entry.sectors > 0 && this.partOf(entry) === part) this.#lastingFrom[index] = index;
    }
    let group: number[] = [];
    let earliest = -1;
    for (const entry of own) {
      if (isCached(entry)) {
        group.push(this.#takeSame(waiting, entry, part, firstSector));
      }
      if (!entry.isFlush) continue;
      earliest = nextFlush[earliest + 1] ?? Number.POSITIVE_INFINITY;
      for (const index of group) earliest = Math.max(earliest, nextFlush[index] ?? Number.POSITIVE_INFINITY);
      for (const index of group) this.#lastingFrom[index] = earliest;
      group = [];
    }
  }

  /**
   * The entry of the whole disk that is this write of a partition, taken out of those that wait for theirs. Writes that were
   * under way together may have completed in another order at each recorder, so it need not be the first of them.
   */
  #takeSame(waiting: number[], entry: LogEntry, part: Part, firstSector: number): number {
    const place = waiting.slice(0, mostUnderWay).findIndex((index) => {
      const same = this.entries[index];
      return same?.sector === entry.sector + firstSector && same.sectors === entry.sectors;
    });
    const [index] = place < 0 ? [] : waiting.splice(place, 1);
    if (index === undefined) throw new Error(`the logs of ${part} and of the whole disk do not agree`);
    return index;
  }

  /** By entry: the first flush at it or after it. */
  #nextFlushes(): Float64Array {
    const next = new Float64Array(this.entries.length);
    let flush = Number.POSITIVE_INFINITY;
    for (let index = this.entries.length - 1; index >= 0; index--) {
      if (this.entries[index]?.isFlush) flush = index;
      next[index] = flush;
    }
    return next;
  }
}

/** Data that waits in the disk's cache for a flush. */
function isCached(entry: LogEntry): boolean {
  return entry.mark === undefined && entry.sectors > 0 && !entry.isFua;
}

/** The parts of `length` sectors from `first` on that nothing later has written, relative to `first`. */
function* freeRuns(isDone: Uint8Array, first: number, length: number): Generator<readonly [number, number]> {
  for (let from = 0; from < length; ) {
    if (isDone[first + from] === 1) {
      from++;
      continue;
    }
    let to = from + 1;
    while (to < length && isDone[first + to] === 0) to++;
    yield [from, to];
    from = to;
  }
}
