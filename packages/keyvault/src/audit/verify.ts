import type { Text } from '@kannuki/core';
import { type Anchor, type AnchorStore, openAnchor } from './anchor.ts';
import type { ChainKey } from './chain-key.ts';
import { beginning, isSealedAfter, type Link, ownOperations, type ParsedLine, parseLine } from './line.ts';
import { linesOf, listSegments, type RawLine, segmentName } from './segments.ts';

export interface AuditProblem {
  /** Name of the segment, or of what is missing. */
  readonly file: string;
  /** 1 is the first line of the file; null where it is about no line. */
  readonly line: number | null;
  /** As the line has it; null where it cannot be read. */
  readonly sequence: number | null;
  readonly what: Text;
}

export interface AuditVerification {
  readonly records: number;
  readonly segments: number;
  readonly ok: boolean;
  /** Whether the MACs were checked: without the key only the public chain is, which anybody can make anew. */
  readonly keyed: boolean;
  readonly anchored: boolean;
  /** The first hundred. */
  readonly problems: readonly AuditProblem[];
  /** All that were found. */
  readonly problemCount: number;
  readonly last: { readonly sequence: number; readonly hash: string } | null;
}

const problemsKept = 100;

/**
 * Reads a whole log and checks that every record follows the one before: nothing changed, removed, added, moved or brought
 * from another log. Reads line by line; may run for long, and lets the event loop go on.
 * @param key null: only the public chain, which does not protect the last line, nor against who makes the chain anew
 * @param anchors null: an end that was cut off is not seen
 * @param until where to stop in a log that is being written: `AuditLog.end`, and what is there must be exactly that
 * @throws KannukiError KNK-AUD-0003
 */
export async function verifyAudit(
  folder: string,
  key: ChainKey | null,
  anchors: AnchorStore | null,
  until?: Anchor,
): Promise<AuditVerification> {
  // Before the log, which may go on: never younger than what is read.
  const text = anchors === null ? undefined : await anchors.read();
  const walk = new Walk(key);
  const anchor = text === undefined || text === null ? undefined : openAnchor(text, key);
  walk.expect(anchor);
  if (until !== undefined) walk.expect(until);

  const segments = (await listSegments(folder)).filter((segment) => segment <= (until?.segment ?? segment));
  let expected = 1;
  for (const segment of segments) {
    const file = segmentName(segment);
    for (; expected < segment && walk.hasRoom; expected += 1) {
      walk.report({ file: segmentName(expected), line: null, sequence: null }, said.missing);
    }
    expected = segment + 1;
    const end = segment === until?.segment ? until.offset : undefined;
    for await (const line of linesOf(folder, segment, 0, end)) walk.take(file, line);
  }
  walk.end();
  const place = { file: 'anchor', line: null, sequence: null };
  if (text === null && walk.records > 0) walk.report(place, said.noAnchor);
  if (typeof text === 'string' && anchor === undefined) walk.report(place, said.badAnchor);
  return {
    records: walk.records,
    segments: segments.length,
    ok: walk.problemCount === 0,
    keyed: key !== null,
    anchored: anchor !== undefined || until !== undefined,
    problems: walk.problems,
    problemCount: walk.problemCount,
    last: walk.records === 0 ? null : { sequence: walk.last.sequence, hash: walk.last.hash },
  };
}

type Place = Pick<AuditProblem, 'file' | 'line' | 'sequence'>;

/** One way through a log, line by line. */
class Walk {
  readonly #key: ChainKey | null;
  readonly problems: AuditProblem[] = [];
  problemCount = 0;
  records = 0;
  last: Link = beginning;
  #file = segmentName(1);
  /** What must be met on the way, by sequence number. */
  readonly #anchors: Link[] = [];

  constructor(key: ChainKey | null) {
    this.#key = key;
  }

  get hasRoom(): boolean {
    return this.problems.length < problemsKept;
  }

  expect(anchor: Link | undefined): void {
    if (anchor !== undefined && anchor.sequence > 0) this.#anchors.push(anchor);
  }

  take(file: string, line: RawLine): void {
    this.#file = file;
    const parsed = parseLine(line.bytes);
    const place: Place = { file, line: line.number, sequence: parsed?.link.sequence ?? null };
    if (!line.complete) this.report(place, said.cutShort);
    else if (parsed === undefined) this.report(place, said.noRecord);
    if (!line.complete || parsed === undefined) return;
    this.records += 1;
    for (const what of this.#problemsOf(parsed)) this.report(place, what);
    for (const anchor of this.#anchors) {
      const { sequence, hash, mac } = parsed.link;
      if (sequence === anchor.sequence && (hash !== anchor.hash || mac !== anchor.mac)) {
        this.report(place, said.otherThanAnchor);
      }
    }
    // Goes on from the line as it is, so that one problem is not reported for all that follow.
    this.last = parsed.link;
  }

  end(): void {
    const furthest = Math.max(0, ...this.#anchors.map(({ sequence }) => sequence));
    if (this.last.sequence >= furthest) return;
    this.report({ file: this.#file, line: null, sequence: this.last.sequence }, said.tooShort(this.last, furthest));
  }

  report(place: Place, what: Text): void {
    this.problemCount += 1;
    if (this.hasRoom) this.problems.push({ ...place, what });
  }

  #problemsOf(line: ParsedLine): Text[] {
    const { last } = this;
    const { sequence } = line.link;
    if (line.entry.operation === ownOperations.broken && line.previous === beginning.hash) {
      const isOurs = this.#key === null || isSealedAfter(line, beginning, this.#key);
      if (isOurs && sequence > last.sequence) return [said.broken(line.entry.error ?? '')];
    }
    const found: Text[] = [];
    if (sequence !== last.sequence + 1) found.push(said.sequence(last.sequence + 1));
    if (line.previous !== last.hash) found.push(said.previous);
    if (this.#key !== null && !isSealedAfter(line, last, this.#key)) found.push(said.mac);
    return found;
  }
}

const said = {
  missing: { en: 'the segment is missing', ja: 'セグメントがありません' },
  noRecord: { en: 'the line is not a record', ja: '行が監査記録ではありません' },
  cutShort: {
    en: 'the last line is cut short: a crash leaves that, and the next start of the server moves it aside',
    ja: '最後の行が途中で切れています。異常終了で生じるもので、サーバーの次回起動時に退避されます',
  },
  previous: {
    en: 'the line before it was changed, removed or added',
    ja: '直前の行が変更、削除、または追加されています',
  },
  mac: {
    en: 'the MAC is wrong: the line or the one before was changed, or comes from another log',
    ja: 'MAC が一致しません。この行か直前の行が変更されたか、別のログの行です',
  },
  otherThanAnchor: {
    en: 'it is not the record that the anchor names',
    ja: 'アンカーが示す記録と異なります',
  },
  noAnchor: { en: 'there is no anchor', ja: 'アンカーがありません' },
  badAnchor: { en: 'the anchor is damaged or of another log', ja: 'アンカーが破損しているか、別のログのものです' },
  sequence: (expected: number): Text => ({
    en: `its number should be ${expected}`,
    ja: `番号は ${expected} であるべきです`,
  }),
  tooShort: (last: Link, anchor: number): Text => ({
    en: `the log ends at ${last.sequence} but the anchor says ${anchor}`,
    ja: `ログは ${last.sequence} で終わっていますが、アンカーは ${anchor} を示しています`,
  }),
  broken: (why: string): Text => ({
    en: `the server found the log broken when it started (${why}) and began a new chain here`,
    ja: `サーバーが起動時にログの破損を検出し (${why})、ここから新しい連鎖を開始しました`,
  }),
} as const;
