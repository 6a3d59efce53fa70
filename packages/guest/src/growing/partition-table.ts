import { open } from 'node:fs/promises';
import type { Run } from '@kannuki/core';
import { claimsGpt, type Gpt, gptStartBytes, growPartition, largestLastLba, readGpt } from '@kannuki/formats';
import type { BlockDevice } from '../facts/model.ts';
import { runForJson } from '../facts/sources.ts';

/** The partition table of a disk. */
export type PartitionTable =
  | { readonly label: 'gpt'; readonly gpt: Gpt }
  | { readonly label: 'dos'; readonly partitions: readonly MbrPartition[] }
  | { readonly label: 'other'; readonly name: string };

/** All in sectors of the disk. */
export interface MbrPartition {
  readonly number: number;
  readonly start: number;
  readonly size: number;
  readonly isExtended: boolean;
}

/** How large a partition becomes, sectors of the disk; the extended one around it first. */
export interface PartitionGrowth {
  readonly start: number;
  readonly size: number;
  readonly around: MbrPartition | null;
}

export type NoGrowth = 'unknown' | 'not-last' | 'no-room-for-table' | 'beyond-end' | 'other-table';

/** @throws KannukiError KNK-FMT-0401 when there is a GPT and it is not whole */
export async function readPartitionTable(disk: BlockDevice, run: Run): Promise<PartitionTable> {
  const start = await readStart(disk.path);
  if (claimsGpt(start, disk.logicalSectorBytes)) return { label: 'gpt', gpt: readGpt(start, disk.logicalSectorBytes) };
  return await runForJson({ run }, 'sfdisk', ['--json', disk.path], (reply) => readReply(reply, disk.path));
}

async function readStart(path: string): Promise<Uint8Array> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(gptStartBytes), 0, gptStartBytes, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

const extendedTypes = new Set(['5', 'f', '85']);
const mostPartitions = 1024;

function readReply(reply: unknown, disk: string): PartitionTable {
  const table = (reply as { partitiontable?: { label?: unknown; partitions?: unknown } } | null)?.partitiontable;
  const { label = 'none', partitions: rows = [] } = table ?? {};
  if (label !== 'dos') return { label: 'other', name: String(label) };
  if (!Array.isArray(rows) || rows.length > mostPartitions) throw new Error('no list of partitions');
  return { label: 'dos', partitions: rows.map((row: Record<string, unknown>) => readRow(row, disk)) };
}

function readRow(row: Readonly<Record<string, unknown>>, disk: string): MbrPartition {
  const { node, start, size, type } = row;
  const number = Number(/^p?(\d+)$/.exec(String(node).slice(disk.length))?.[1]);
  const all = [number, start, size];
  if (!all.every((value) => Number.isSafeInteger(value) && Number(value) >= 0)) throw new Error('no partition');
  return { number, start: Number(start), size: Number(size), isExtended: extendedTypes.has(String(type)) };
}

/** Whole MiB, as partitions are made since there are large sectors: every sector of dm-crypt and every piece of a RAID fits in. */
const grain = 1024 * 1024;
/** A table of MBR counts in 32 bits. */
const mbrLimit = 2 ** 32 - 1;
/** Numbers of partitions inside of the extended one. */
const firstLogical = 5;

/**
 * The largest size of the last partition on a disk; its size of today where there is no more room.
 * @returns why not, for one that is not the last, or cannot be changed without danger
 */
export function growthOf(
  table: PartitionTable,
  {
    number,
    diskBytes,
    sectorBytes,
  }: { readonly number: number; readonly diskBytes: number; readonly sectorBytes: number },
): PartitionGrowth | NoGrowth {
  if (table.label === 'other') return 'other-table';
  const grow = (start: number, size: number, end: number): number => {
    const whole = Math.floor(((end - start) * sectorBytes) / grain) * (grain / sectorBytes);
    return Math.max(size, whole);
  };
  if (table.label === 'gpt') {
    const { gpt } = table;
    const partition = gpt.partitions.find((one) => one.number === number);
    if (partition === undefined) return 'unknown';
    const { firstLba, lastLba } = partition;
    const size = grow(firstLba, lastLba - firstLba + 1, largestLastLba(gpt, diskBytes) + 1);
    const plan = growPartition(gpt, { diskBytes, number, lastLba: firstLba + size - 1 });
    if (typeof plan !== 'string') return { start: firstLba, size, around: null };
    return plan === 'shrinks' ? 'beyond-end' : plan;
  }
  const { partitions } = table;
  const own = partitions.find((one) => one.number === number);
  if (own === undefined) return 'unknown';
  const extended = number >= firstLogical ? partitions.find((one) => one.isExtended) : undefined;
  const others = partitions.filter((one) => one !== own && one !== extended);
  if (others.some(({ start }) => start > own.start)) return 'not-last';
  const end = Math.min(Math.floor(diskBytes / sectorBytes), mbrLimit);
  if (own.start + own.size > end) return 'beyond-end';
  const size = grow(own.start, own.size, end);
  const around =
    extended === undefined || own.start + size <= extended.start + extended.size
      ? null
      : { ...extended, size: own.start + size - extended.start };
  return { start: own.start, size, around };
}

/** What a table says of a partition, sectors of the disk. */
export function sizeInTable(table: PartitionTable, number: number): number | undefined {
  if (table.label === 'dos') return table.partitions.find((one) => one.number === number)?.size;
  if (table.label === 'other') return undefined;
  const partition = table.gpt.partitions.find((one) => one.number === number);
  return partition === undefined ? undefined : partition.lastLba - partition.firstLba + 1;
}
