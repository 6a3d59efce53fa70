import { createHash } from 'node:crypto';
import { KannukiError } from '@kannuki/core';
import { type BinaryHeader, binaryHeaderSize, encodeHeaderCopy } from './binary-header.ts';
import { type FoundCopy, findCopies } from './header.ts';
import {
  digestsOfSegment,
  haveSameKeys,
  type Luks2Metadata,
  liveSegments,
  type ReencryptKeyslot,
  reencryptKeyslot,
  type Segment,
  segmentWithFlag,
} from './model.ts';
import { requiresReencryption } from './progress.ts';
import { rewriteFinished } from './rewrite.ts';

/**
 * Why this exists: after the last piece, cryptsetup (2.6.1; 2.8.6 has the same lines) writes "one segment, the whole
 * device", then wipes the reencryption key slot, then removes the requirement. A power cut in between leaves a header
 * from which `cryptsetup reencrypt --resume-only` silently starts again at block 0 and encrypts everything a second time.
 * A decryption ends likewise: "one segment, plain", then the wipe of each key slot, then the requirement; a resume in between
 * decrypts what is plain already, or fails for ever because no slot has the key any more.
 * So this must be asked before every resume, and its answer be carried out.
 */
export type FinishVerdict =
  | {
      readonly needed: false;
      /** `not-reencrypting`: nothing to resume. `unfinished`: data is left to convert, resume is right. */
      readonly reason: 'not-reencrypting' | 'unfinished';
    }
  | FinishPlan;

/**
 * How to finish, for a header file or device, in this order: overwrite the `wipe` ranges with random bytes and sync (they
 * may hold plaintext or old keys); then carry out `writes` one after the other, with a sync after each. A power
 * cut anywhere in it leaves a state for which this verdict comes again, or the finished one.
 */
export interface FinishPlan {
  readonly needed: true;
  readonly sequenceId: bigint;
  readonly wipe: readonly { readonly offset: number; readonly length: number }[];
  /** The two header copies, the one that is worth less first, so that there is always a whole one on the disk. */
  readonly writes: readonly { readonly offset: number; readonly bytes: Uint8Array }[];
  /** Both copies as they lie on the disk, from offset 0: the same as `writes`, for those who replace a file as a whole. */
  readonly header: Uint8Array;
}

/**
 * Tells whether a header is in cryptsetup's end window, and makes the header that cryptsetup would have written at the end.
 * Never guesses: what is neither clearly unfinished nor clearly complete is an error, and then nothing may be resumed.
 * @param bytes the header from its start, at least both copies
 * @param deviceSizeBytes of the data device
 * @throws KannukiError KNK-FMT-0101, KNK-FMT-0102; KNK-FMT-0103 when in doubt, with what it saw
 */
export function finishReencryption(bytes: Uint8Array, deviceSizeBytes: number): FinishVerdict {
  const { primary, secondary, newest } = findCopies(bytes);
  const { metadata, binary } = newest;
  const slot = reencryptKeyslot(metadata);
  if (slot === undefined && !requiresReencryption(metadata)) return { needed: false, reason: 'not-reencrypting' };
  if (slot === undefined) return doubt('the reencryption requirement is set, but its key slot is gone');
  if (!requiresReencryption(metadata)) return doubt('a reencryption key slot without the requirement');
  if (stateOf(metadata) === 'unfinished') return { needed: false, reason: 'unfinished' };

  const [slotId, keyslot] = slot;
  const oddity = oddityOfComplete(metadata, keyslot, binary.headerSize, deviceSizeBytes);
  if (oddity !== undefined) return doubt(oddity);
  if (binary.sequenceId >= 2n ** 63n) return doubt('the sequence number is at its end');
  const { json, dropped } = rewriteFinished(metadata, slotId);
  if (json.length >= binary.headerSize - binaryHeaderSize) return doubt('the JSON does not fit its area');

  const sequenceId = binary.sequenceId + 1n;
  const first = encodeHeaderCopy(nextCopy(primary, newest, false), json);
  const second = encodeHeaderCopy(nextCopy(secondary, newest, true), json);
  const inOrder = [
    { offset: 0, bytes: first },
    { offset: binary.headerSize, bytes: second },
  ];
  return {
    needed: true,
    sequenceId,
    wipe: dropped.map(({ offset, size }) => ({ offset: Number(offset), length: Number(size) })),
    writes: binary.secondary ? inOrder : inOrder.toReversed(),
    header: Buffer.concat([first, second]),
  };
}

/** Complete or not, as far as the one live segment tells: which of the two notes, before and after, does it equal? */
function stateOf(metadata: Luks2Metadata): 'unfinished' | 'complete' {
  const live = liveSegments(metadata);
  const [first] = live;
  if (first === undefined) return doubt('no live segment');
  // More than one piece, or a piece under conversion: cryptsetup takes the right offset from it by itself.
  if (live.length > 1 || first[1].flags.includes('in-reencryption')) return 'unfinished';
  const previous = segmentWithFlag(metadata, 'backup-previous');
  const final = segmentWithFlag(metadata, 'backup-final');
  if (previous === undefined || final === undefined) return doubt('a backup segment is missing');
  const isBefore = isSame(metadata, first, previous);
  const isAfter = isSame(metadata, first, final);
  if (isBefore === isAfter)
    return doubt(`the live segment equals ${isBefore ? 'both' : 'none'} of the backup segments`);
  return isBefore ? 'unfinished' : 'complete';
}

function isSame(
  metadata: Luks2Metadata,
  [id, segment]: readonly [number, Segment],
  [otherId, other]: readonly [number, Segment],
): boolean {
  return (
    segment.type === other.type &&
    segment.offset === other.offset &&
    segment.crypt?.encryption === other.crypt?.encryption &&
    segment.crypt?.sectorSize === other.crypt?.sectorSize &&
    segment.crypt?.ivTweak === other.crypt?.ivTweak &&
    haveSameKeys(metadata, id, otherId)
  );
}

/** What speaks against believing "complete". Some of these cases are real, but the finish of none is proved against cryptsetup. */
function oddityOfComplete(
  metadata: Luks2Metadata,
  keyslot: ReencryptKeyslot,
  headerSize: number,
  deviceSizeBytes: number,
): string | undefined {
  const [live] = liveSegments(metadata);
  const previous = segmentWithFlag(metadata, 'backup-previous');
  if (live === undefined || previous === undefined) return 'a segment is missing';
  const [liveId, segment] = live;
  const { requirements } = metadata.config;
  if (requirements.length !== 1 || requirements[0] !== 'online-reencrypt-v2') {
    return `requirements ${requirements.join(', ')}`;
  }
  if (!provenResiliences(keyslot).includes(keyslot.resilience)) {
    return `mode ${keyslot.mode}, direction ${keyslot.direction}, resilience ${keyslot.resilience}`;
  }
  if (segmentWithFlag(metadata, 'backup-moved-segment') !== undefined) return 'a moved segment';
  if (liveId !== 0) return `the live segment has number ${liveId}`;
  if (keyslot.mode === 'decrypt') return oddityOfPlain(metadata, segment, previous[1], deviceSizeBytes);
  const { crypt } = segment;
  if (crypt === null) return 'the live segment is not encrypted';
  const expected = keyslot.mode === 'encrypt' ? 'linear' : 'crypt';
  if (previous[1].type !== expected) return `mode ${keyslot.mode} from a ${previous[1].type} segment`;
  const [digestId, ...otherDigests] = digestsOfSegment(metadata, liveId);
  if (digestId === undefined || otherDigests.length > 0) return 'not one digest for the live segment';
  const volumeKey = metadata.digests.get(digestId);
  const opens = volumeKey?.keyslots.some((id) => metadata.keyslots.get(id)?.type === 'luks2') ?? false;
  if (!opens) return 'no key slot holds the key of the live segment';
  const areasEnd = BigInt(2 * headerSize) + metadata.config.keyslotsSize;
  // cryptsetup would resize the key slots' room up to the data here; that case is left to it.
  if (segment.offset !== 0n && segment.offset !== areasEnd) return 'room between the key slots and the data';
  return sizeOddity(segment, crypt.sectorSize, deviceSizeBytes);
}

/** The same after a decryption. Whether a key slot is left does not matter: no key is needed any more. */
function oddityOfPlain(
  metadata: Luks2Metadata,
  segment: Segment,
  previous: Segment,
  deviceSizeBytes: number,
): string | undefined {
  if (segment.type !== 'linear') return `mode decrypt to a ${segment.type} segment`;
  if (previous.type !== 'crypt') return `mode decrypt from a ${previous.type} segment`;
  if (digestsOfSegment(metadata, 0).length > 0) return 'a digest for the plain segment';
  if (segment.offset !== 0n) return `plain data from byte ${segment.offset}`;
  return sizeOddity(segment, previous.crypt?.sectorSize ?? 512, deviceSizeBytes);
}

/**
 * With data offset 0, cryptsetup encrypts from the first block on and decrypts from the last one back. Encryption goes backwards
 * only as front-only.ts begins it, with journal; there the end is the same as forwards (recorded/front-journal).
 */
function provenResiliences({ mode, direction }: ReencryptKeyslot): readonly string[] {
  const all = ['none', 'checksum', 'journal'];
  if (mode === 'decrypt') return direction === 'backward' ? all : [];
  if (direction === 'forward') return all;
  return mode === 'encrypt' ? ['journal'] : [];
}

function sizeOddity({ offset, size }: Segment, sectorSize: number, deviceSizeBytes: number): string | undefined {
  if (!Number.isSafeInteger(deviceSizeBytes) || BigInt(deviceSizeBytes) <= offset) {
    return `a device of ${deviceSizeBytes} bytes, data from byte ${offset}`;
  }
  const toEnd = BigInt(deviceSizeBytes) - offset;
  if (toEnd % BigInt(sectorSize) !== 0n) return `a device of ${deviceSizeBytes} bytes, sectors of ${sectorSize}`;
  if (size !== 'dynamic' && size !== toEnd) return `the live segment covers ${size} of ${toEnd} bytes`;
  return undefined;
}

function nextCopy(copy: FoundCopy | string, newest: FoundCopy, secondary: boolean): BinaryHeader {
  const salt = typeof copy === 'string' ? replacementSalt(newest.binary.salt, secondary) : copy.binary.salt;
  return { ...newest.binary, secondary, salt, sequenceId: newest.binary.sequenceId + 1n };
}

/** The salt only makes the two copies differ everywhere (so that storage does not join them); it need not be secret. */
function replacementSalt(salt: Uint8Array, secondary: boolean): Uint8Array {
  return createHash('sha512')
    .update(salt)
    .update(secondary ? 'secondary' : 'primary')
    .digest();
}

function doubt(seen: string): never {
  throw new KannukiError('KNK-FMT-0103', { details: { seen } });
}
