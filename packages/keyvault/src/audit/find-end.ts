import { open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { KannukiError, syncDirectory, writeFileDurably } from '@kannuki/core';
import type { Anchor } from './anchor.ts';
import type { ChainKey } from './chain-key.ts';
import { beginning, follows, type Link, maximumLineBytes, type ParsedLine, parseLine } from './line.ts';
import { linesOf, listSegments, openSegment, segmentName } from './segments.ts';

/** A batch is never larger, so neither is what a crash can leave half written. */
export const maximumBatchBytes = 1024 * 1024;

/** How a log was found when it was opened. `end` is where the next line goes. */
export type FoundEnd =
  | { readonly kind: 'whole'; readonly end: Anchor }
  /** Bytes stand behind the end that a crash has left, of records that nobody was told of. */
  | { readonly kind: 'torn'; readonly end: Anchor }
  /** The end is that of a new chain in a new segment; what was found stays as it is. */
  | { readonly kind: 'broken'; readonly end: Anchor; readonly why: string };

/**
 * Looks where a log ends: from its anchor on, every line must follow the one before. What is before the anchor is for
 * `verifyAudit` to look at.
 * @param anchor null where there is none; 'damaged' where it is none of this log
 */
export async function findEnd(folder: string, key: ChainKey, anchor: Anchor | null | 'damaged'): Promise<FoundEnd> {
  const segments = await listSegments(folder);
  if (anchor === null && segments.length === 0) return { kind: 'whole', end: { ...beginning, segment: 1, offset: 0 } };
  const broken = async (why: string): Promise<FoundEnd> => {
    return { kind: 'broken', why, end: await behindEverything(folder, segments, anchor) };
  };
  if (anchor === null) return broken('there is no anchor');
  if (anchor === 'damaged') return broken('the anchor is damaged or of another log');
  if (!(await holds(folder, anchor))) return broken(`record ${anchor.sequence} is not where its anchor says`);
  let end = anchor;
  const newer = segments.filter((segment) => segment >= anchor.segment);
  for (const [index, segment] of newer.entries()) {
    if (segment !== anchor.segment + index) return broken(`${segmentName(anchor.segment + index)} is missing`);
    const from = segment === anchor.segment ? anchor.offset : 0;
    for await (const line of linesOf(folder, segment, from)) {
      const parsed = line.complete ? parseLine(line.bytes) : undefined;
      if (parsed === undefined || !follows(parsed, end, key)) {
        const left = (await stat(join(folder, segmentName(segment)))).size - line.start;
        if (index === newer.length - 1 && left <= maximumBatchBytes) return { kind: 'torn', end };
        return broken(`the record after ${end.sequence} is not as it was written`);
      }
      end = { ...parsed.link, segment, offset: line.end };
    }
  }
  return { kind: 'whole', end };
}

/**
 * Takes away what stands behind the end, so that the next line can go there.
 * @param keep whether to save those bytes in `.torn` files first
 * @returns how many bytes it were
 * @throws KannukiError KNK-AUD-0001 where less is there than was written: then only a new opening can tell what to do
 */
export async function cutBehind(folder: string, end: Anchor, keep: boolean): Promise<number> {
  let cut = 0;
  const segments = (await listSegments(folder)).filter((one) => one >= end.segment);
  if (end.offset > 0 && segments[0] !== end.segment) throw shrunk(join(folder, segmentName(end.segment)));
  for (const segment of segments) {
    const path = join(folder, segmentName(segment));
    const from = segment === end.segment ? end.offset : 0;
    const { size } = await stat(path);
    if (size < from) throw shrunk(path);
    const aside = join(folder, `${segmentName(segment)}.${from}.${Date.now()}.torn`);
    if (segment > end.segment) {
      await (keep && size > 0 ? rename(path, aside) : rm(path, { force: true }));
    } else if (size > from) {
      await using file = await open(path, 'r+');
      if (keep) {
        const rest = Buffer.alloc(size - from);
        const { bytesRead } = await file.read(rest, 0, rest.length, from);
        await writeFileDurably(aside, rest.subarray(0, bytesRead), 0o600);
      }
      await file.truncate(from);
      await file.sync();
    }
    cut += size - from;
  }
  await syncDirectory(folder);
  return cut;
}

function shrunk(file: string): KannukiError {
  return new KannukiError('KNK-AUD-0001', { details: { file, reason: 'it is shorter than it was' } });
}

/** Whether the line that an anchor names is where it was. */
async function holds(folder: string, anchor: Anchor): Promise<boolean> {
  if (anchor.sequence === 0) return anchor.offset === 0;
  const found = await lastLineBefore(folder, anchor.segment, anchor.offset);
  return found !== undefined && isSameLink(found.link, anchor);
}

function isSameLink(left: Link, right: Link): boolean {
  return left.sequence === right.sequence && left.hash === right.hash && left.mac === right.mac;
}

/** The line whose line feed is right before this byte. */
async function lastLineBefore(folder: string, segment: number, offset: number): Promise<ParsedLine | undefined> {
  try {
    await using file = await openSegment(folder, segment);
    const start = Math.max(0, offset - maximumLineBytes - 2);
    const buffer = Buffer.alloc(offset - start);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, start);
    if (bytesRead < buffer.length || buffer.at(-1) !== 10) return undefined;
    return parseLine(buffer.subarray(buffer.lastIndexOf(10, -2) + 1, -1));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** A place and a sequence number that nothing in the log has used. */
async function behindEverything(
  folder: string,
  segments: readonly number[],
  anchor: Anchor | null | 'damaged',
): Promise<Anchor> {
  let { sequence } = beginning;
  let segment = segments.at(-1) ?? 0;
  if (anchor !== null && anchor !== 'damaged') {
    sequence = anchor.sequence;
    segment = Math.max(segment, anchor.segment);
  }
  for (const one of segments.slice(-2)) {
    for await (const line of linesOf(folder, one)) {
      const found = parseLine(line.bytes)?.link.sequence ?? 0;
      // What somebody else has written must not use the numbers up.
      if (found < 2 ** 48) sequence = Math.max(sequence, found);
    }
  }
  return { ...beginning, sequence, segment: segment + 1, offset: 0 };
}
