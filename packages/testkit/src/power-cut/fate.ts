import type { Cut, Extent } from './cuts.ts';
import { type DiskRecord, type KeptSectors, type Part, parts } from './disk-record.ts';
import type { Random } from './random.ts';

/** What a power cut does to the writes that were not lasting yet. */
export interface Fate {
  readonly kept: KeptSectors;
  /** How many writes each disk lost, of how many that waited for a flush. */
  readonly lost: Readonly<Record<Part, { readonly writes: number; readonly of: number }>>;
  /** Where the torn write was torn; null: none was. */
  readonly torn: { readonly entry: number; readonly keptSectors: number; readonly ofSectors: number } | null;
}

export function fateOf(record: DiskRecord, cut: Cut, fileSystem: 'ext4' | 'xfs', random: Random): Fate {
  if (cut.kind === 'torn') return tear(record, cut.entry, fileSystem, random);
  const lost = new Set<number>();
  const counts = waiting(record, cut.entry);
  for (const part of parts) {
    const chosen = choose(record.unflushedBefore(cut.entry, part), cut.loss?.[part] ?? 'none', random);
    counts[part].writes = chosen.length;
    for (const index of chosen) lost.add(index);
  }
  return { kept: (index, { sectors }) => (lost.has(index) ? 0 : sectors), lost: counts, torn: null };
}

function waiting(record: DiskRecord, cut: number): Record<Part, { writes: number; of: number }> {
  return {
    state: { writes: 0, of: record.unflushedBefore(cut, 'state').length },
    data: { writes: 0, of: record.unflushedBefore(cut, 'data').length },
  };
}

function choose(unflushed: readonly number[], extent: Extent, random: Random): readonly number[] {
  if (extent === 'none') return [];
  if (extent === 'all') return unflushed;
  const some = unflushed.filter(() => random.next() < 0.5);
  return some.length > 0 ? some : unflushed.slice(-1);
}

function tear(record: DiskRecord, cut: number, fileSystem: 'ext4' | 'xfs', random: Random): Fate {
  const torn = tearable(record, cut, fileSystem);
  const lost = waiting(record, cut);
  if (torn === undefined) return { kept: (_, { sectors }) => sectors, lost, torn: null };
  const { index, places } = torn;
  const keptSectors = places(random);
  const ofSectors = record.entries[index]?.sectors ?? 0;
  return {
    kept: (candidate, { sectors }) => (candidate === index ? keptSectors : sectors),
    lost,
    torn: { entry: index, keptSectors, ofSectors },
  };
}

/** A block of 4 KiB, in sectors. */
const block = 8;
/** Larger than what a file system writes of its own structures at once. */
const largeSectors = 128;

/**
 * The last write that no flush had made lasting, if it can be torn: after any whole sector of 512 bytes, also inside a block of
 * 4 KiB. Two places are left out, for there the file system itself, encrypted or not, does not promise to survive: the
 * block of the superblock (ext4 checks its checksum before it replays its journal), and, inside a block, small writes
 * of an XFS with 4096-byte sectors, which takes a sector for atomic.
 */
export function tearable(
  record: DiskRecord,
  cut: number,
  fileSystem: 'ext4' | 'xfs',
): { readonly index: number; readonly places: (random: Random) => number } | undefined {
  const index = Math.max(...parts.map((part) => record.unflushedBefore(cut, part).at(-1) ?? -1));
  const entry = record.entries[index];
  if (entry === undefined || entry.isDiscard) return undefined;
  const part = record.partOf(entry);
  const unit = part === 'data' && fileSystem === 'xfs' && entry.sectors <= largeSectors ? block : 1;
  const superBlockEnd = record.firstSector(part) + block;
  const least = entry.sector < superBlockEnd ? superBlockEnd - entry.sector : unit;
  const choices = Math.ceil((entry.sectors - least) / unit);
  if (choices < 1) return undefined;
  return { index, places: (random) => least + unit * random.between(0, choices) };
}
