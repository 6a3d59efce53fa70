import { crc32 } from 'node:zlib';
import { entryFields, type Gpt, gptStartBytes, headerCrc, headerFields, readGpt, viewOf } from './gpt.ts';

/** Bytes that go to a place of the disk. */
export interface TableWrite {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** Why the last partition of a table cannot be made larger in a way that a power cut does not harm. */
export type NoRoom = 'unknown' | 'not-last' | 'beyond-end' | 'shrinks' | 'no-room-for-table';

/** The last block that a partition may have on a disk of this size, once the second table has moved to its end. */
export function largestLastLba(gpt: Gpt, diskBytes: number): number {
  return lastLbaOf(gpt, diskBytes) - sectorsOfEntries(gpt) - 1;
}

/**
 * What has to be written for the last partition to end at another block: groups in their order, and behind each the disk has to be flushed.
 *
 * A header and its array of entries are checked against each other, and lie in different sectors: written in place, a power cut
 * between the two leaves a table that the kernel does not take, and all partitions are gone. So the new array goes to a free place
 * first; one sector, the header, then turns from the old array to the new one. Whatever part of whatever group has
 * reached the disk, the primary table is whole and says either the old or the new size.
 */
export function growPartition(
  gpt: Gpt,
  { diskBytes, number, lastLba }: { readonly diskBytes: number; readonly number: number; readonly lastLba: number },
): readonly (readonly TableWrite[])[] | NoRoom {
  const partition = gpt.partitions.find((one) => one.number === number);
  if (partition === undefined) return 'unknown';
  if (gpt.partitions.some(({ firstLba }) => firstLba > partition.firstLba)) return 'not-last';
  const last = lastLbaOf(gpt, diskBytes);
  if (lastLba > largestLastLba(gpt, diskBytes) || gpt.alternateLba > last) return 'beyond-end';
  if (lastLba < partition.lastLba) return 'shrinks';
  const home = 2;
  const elsewhere = home + sectorsOfEntries(gpt);
  const firstOfAll = Math.min(...gpt.partitions.map(({ firstLba }) => firstLba));
  const isAtHome = gpt.entriesLba === home;
  // A table of somebody else's whose array lies over either of the two places is left alone.
  if (elsewhere + sectorsOfEntries(gpt) > firstOfAll || (!isAtHome && gpt.entriesLba < elsewhere)) {
    return 'no-room-for-table';
  }

  const at = (lba: number, bytes: Uint8Array): TableWrite => ({ offset: lba * gpt.sectorBytes, bytes });
  const entries = new Uint8Array(gpt.entries);
  const entryOffset = (number - 1) * gpt.entryBytes;
  viewOf(entries).setBigUint64(entryOffset + entryFields.lastLba, BigInt(lastLba), true);
  const common = { lastUsableLba: largestLastLba(gpt, diskBytes), entries };
  const backupEntriesLba = last - sectorsOfEntries(gpt);
  const backup = { ...common, ownLba: last, alternateLba: 1, entriesLba: backupEntriesLba };
  const primary = { ...common, ownLba: 1, alternateLba: last };
  const switches = (isAtHome ? [elsewhere, home] : [home]).flatMap((lba) => [
    [at(lba, entries)],
    [at(1, headerOf(gpt, { ...primary, entriesLba: lba }))],
  ]);
  const mbr = protectiveMbr(gpt, last);
  const plan = [
    [at(backupEntriesLba, entries), at(last, headerOf(gpt, backup))],
    ...switches,
    ...(mbr === undefined ? [] : [[{ offset: 0, bytes: mbr }]]),
  ];
  prove(gpt, plan.flat(), [partition.lastLba, lastLba], number);
  return plan;
}

/** Tries the writes on a copy in memory: no mistake of ours may cost anybody a partition table. */
function prove(gpt: Gpt, writes: readonly TableWrite[], ends: readonly number[], number: number): void {
  const start = new Uint8Array(gptStartBytes);
  start.set(gpt.protectiveMbr);
  start.set(gpt.header, gpt.sectorBytes);
  start.set(gpt.entries, gpt.entriesLba * gpt.sectorBytes);
  for (const { offset, bytes } of writes) {
    if (offset + bytes.length > start.length) continue;
    start.set(bytes, offset);
    const end = readGpt(start, gpt.sectorBytes).partitions.find((one) => one.number === number)?.lastLba ?? -1;
    if (!ends.includes(end)) throw new Error(`partition ${number} would end at ${end}`);
  }
}

function lastLbaOf({ sectorBytes }: Gpt, diskBytes: number): number {
  return Math.floor(diskBytes / sectorBytes) - 1;
}

function sectorsOfEntries({ entries, sectorBytes }: Gpt): number {
  return Math.ceil(entries.length / sectorBytes);
}

interface HeaderChange {
  readonly ownLba: number;
  readonly alternateLba: number;
  readonly entriesLba: number;
  readonly lastUsableLba: number;
  readonly entries: Uint8Array;
}

function headerOf(gpt: Gpt, change: HeaderChange): Uint8Array {
  const header = new Uint8Array(gpt.header);
  const view = viewOf(header);
  for (const field of ['ownLba', 'alternateLba', 'entriesLba', 'lastUsableLba'] as const) {
    view.setBigUint64(headerFields[field], BigInt(change[field]), true);
  }
  view.setUint32(headerFields.entriesCrc, crc32(change.entries), true);
  view.setUint32(headerFields.headerCrc, headerCrc(header), true);
  return header;
}

const mbrEntries = [446, 462, 478, 494];
const protectiveType = 0xee;
const largestMbrCount = 0xffffffff;

/** With the size of today; undefined when it has it already, or when somebody has made more of it than the protection. */
function protectiveMbr({ protectiveMbr: bytes }: Gpt, lastLba: number): Uint8Array | undefined {
  const used = mbrEntries.filter((offset) => bytes[offset + 4] !== 0);
  const [only] = used;
  if (only === undefined || used.length !== 1 || bytes[only + 4] !== protectiveType) return undefined;
  const view = viewOf(bytes);
  const count = Math.min(lastLba, largestMbrCount);
  if (view.getUint32(only + 12, true) === count) return undefined;
  const changed = new Uint8Array(bytes);
  viewOf(changed).setUint32(only + 12, count, true);
  return changed;
}
