import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Anchor } from './anchor.ts';
import { type AuditEntry, parseLine } from './line.ts';
import { linesOf, listSegments, segmentName, unreadable } from './segments.ts';

export interface AuditQuery {
  /** Milliseconds since 1970, inclusive. */
  readonly from?: number;
  /** Milliseconds since 1970, exclusive. */
  readonly to?: number;
  /** Letter case does not count. */
  readonly vault?: string;
  readonly operation?: string;
  readonly objectId?: string;
  /** 1 to 10,000. */
  readonly limit: number;
  /** Only records behind this number: to page on. Without it, the newest `limit` records are answered. */
  readonly after?: number;
  /** Where to stop in a log that is being written. */
  readonly until?: Anchor;
}

export const longestAuditPage = 10_000;
/** Clocks are set: a segment may have been written a little before the time that its records tell. */
const clockSlackMilliseconds = 86_400_000;

/**
 * Records of a log, oldest first. Reads line by line and never holds more than `limit` records. Lines that are none are
 * passed over: what that means is for `verifyAudit` to say. Segments whose file was last written well before `from` are
 * not looked at.
 * @throws KannukiError KNK-AUD-0003
 */
export async function readAudit(folder: string, query: AuditQuery): Promise<readonly AuditEntry[]> {
  const limit = Math.min(Math.max(1, Math.trunc(query.limit)), longestAuditPage);
  const segments = (await listSegments(folder)).filter((one) => one <= (query.until?.segment ?? one));
  const found: AuditEntry[] = [];
  if (query.after !== undefined) {
    for (const segment of segments) {
      for await (const entry of matching(folder, segment, query)) {
        found.push(entry);
        if (found.length === limit) return found;
      }
    }
    return found;
  }
  for (const segment of segments.toReversed()) {
    const here: AuditEntry[] = [];
    for await (const entry of matching(folder, segment, query)) {
      here.push(entry);
      if (here.length >= 2 * limit) here.splice(0, here.length - limit);
    }
    found.unshift(...here.slice(-(limit - found.length)));
    if (found.length >= limit) break;
  }
  return found;
}

async function* matching(folder: string, segment: number, query: AuditQuery): AsyncGenerator<AuditEntry> {
  const { from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY, after = 0 } = query;
  const path = join(folder, segmentName(segment));
  const { mtimeMs } = await stat(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  if (mtimeMs + clockSlackMilliseconds < from) return;
  const end = segment === query.until?.segment ? query.until.offset : undefined;
  for await (const line of linesOf(folder, segment, 0, end)) {
    const entry = line.complete ? parseLine(line.bytes)?.entry : undefined;
    if (entry === undefined || entry.sequence <= after || entry.time < from || entry.time >= to) continue;
    if (query.vault !== undefined && entry.vault.toLowerCase() !== query.vault.toLowerCase()) continue;
    if (query.operation !== undefined && entry.operation.toLowerCase() !== query.operation.toLowerCase()) continue;
    if (query.objectId !== undefined && entry.objectId !== query.objectId) continue;
    yield entry;
  }
}
