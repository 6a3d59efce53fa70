import { pbkdf2Sync } from 'node:crypto';
import { KannukiError, SecretBytes } from '@kannuki/core';
import { isObject, type JsonObject, type JsonValue, printJson } from '../json/ordered-json.ts';
import { binaryHeaderSize, encodeHeaderCopy } from './binary-header.ts';
import { findCopies } from './header.ts';
import { checkMetadata } from './metadata.ts';
import {
  type Digest,
  digestsOfSegment,
  type Luks2Metadata,
  liveSegments,
  type Pbkdf2,
  reencryptKeyslot,
  type Segment,
  segmentWithFlag,
} from './model.ts';

/**
 * Turns the header of an encryption in place that has not begun into one whose conversion covers the front of the device
 * only: "from `frontBytes` to the end all is encrypted already; go on backwards from there". For cryptsetup that is a state like any other in the
 * middle of a run, so it opens, resumes and recovers the WHOLE device all along, whoever opens it, and ends with one segment over all of
 * it. What lies behind the front is not read or written by the conversion; seen through the mapping it is noise.
 *
 * The reencryption's own digest (lib/luks2/luks2_reencrypt_digest.c of cryptsetup, version 2 of the requirement) covers the
 * direction, so it is made anew; the segments in work are not covered by it.
 * @param bytes the header as `cryptsetup reencrypt --encrypt --init-only` made it, data offset 0
 * @param frontBytes a multiple of 4096, above 0 and below the size of the device
 * @param volumeKey of the header; compared with its digest
 * @returns both copies, to be written from offset 0; what lies behind them stays
 * @throws KannukiError KNK-FMT-0120 when it is no such header; KNK-FMT-0101, KNK-FMT-0102
 */
export function withFrontOnly(bytes: Uint8Array, frontBytes: number, volumeKey: SecretBytes): Uint8Array {
  const { newest } = findCopies(bytes);
  const { binary, metadata } = newest;
  const begin = beginOf(metadata);
  if (!Number.isSafeInteger(frontBytes) || frontBytes <= 0 || frontBytes % 4096 !== 0) {
    return refuse(`a front of ${frontBytes} bytes`);
  }
  if (!knowsKey(begin.dataDigest, volumeKey)) return refuse('the volume key is another');
  const json = rewritten(metadata, begin, frontBytes, volumeKey);
  const text = Buffer.from(printJson(json), 'utf8');
  if (text.length >= binary.headerSize - binaryHeaderSize) return refuse('the JSON does not fit its area');
  checkMetadata(json, binary.headerSize);
  const copies = [false, true].map((secondary) =>
    encodeHeaderCopy({ ...binary, secondary, sequenceId: binary.sequenceId + 1n }, text),
  );
  return Buffer.concat(copies);
}

/** Whether a header has a conversion that goes backwards, i.e. one that `withFrontOnly` made and that is not over. */
export function hasFrontOnly(metadata: Luks2Metadata): boolean {
  const slot = reencryptKeyslot(metadata)?.[1];
  return slot?.mode === 'encrypt' && slot.direction === 'backward';
}

interface Begin {
  readonly slotId: number;
  readonly areaType: string;
  readonly area: { readonly offset: bigint; readonly size: bigint };
  readonly previous: readonly [number, Segment];
  readonly final: readonly [number, Segment];
  readonly dataDigestId: number;
  readonly dataDigest: Digest;
  readonly ownDigestId: number;
  readonly ownDigest: Pbkdf2 & { readonly value: Uint8Array };
}

function beginOf(metadata: Luks2Metadata): Begin {
  const [slotId, slot] = reencryptKeyslot(metadata) ?? refuse('no conversion is pending in it');
  if (metadata.config.requirements.join() !== 'online-reencrypt-v2') {
    return refuse(`requirements ${metadata.config.requirements.join()}`);
  }
  if (slot.mode !== 'encrypt' || slot.direction !== 'forward') return refuse(`mode ${slot.mode}, ${slot.direction}`);
  if (slot.resilience !== 'journal') return refuse(`resilience ${slot.resilience}`);
  const previous = segmentWithFlag(metadata, 'backup-previous') ?? refuse('a segment is missing');
  const final = segmentWithFlag(metadata, 'backup-final') ?? refuse('a segment is missing');
  const live = liveSegments(metadata);
  const all = [...live, previous, final];
  const types = all.map(([, { type }]) => type).join();
  if (types !== 'linear,linear,crypt' || all.some(([, { offset, size }]) => offset !== 0n || size !== 'dynamic')) {
    return refuse('the conversion has begun, or does not cover the whole device');
  }
  if (metadata.segments.size !== all.length) return refuse('a segment too many');
  const [dataDigestId, ...others] = digestsOfSegment(metadata, final[0]);
  const dataDigest = dataDigestId === undefined ? undefined : metadata.digests.get(dataDigestId);
  const own = [...metadata.digests].filter(([, { keyslots }]) => keyslots.includes(slotId));
  const [ownDigestId, ownDigest] = own[0] ?? refuse('a digest is missing');
  if (dataDigestId === undefined || dataDigest === undefined || others.length > 0 || own.length !== 1) {
    return refuse('not one digest for each');
  }
  if (ownDigest.pbkdf2 === null) return refuse('a digest of another kind');
  return {
    slotId,
    areaType: slot.resilience,
    area: slot.area,
    previous,
    final,
    dataDigestId,
    dataDigest,
    ownDigestId,
    ownDigest: ownDigest.pbkdf2,
  };
}

function rewritten(metadata: Luks2Metadata, begin: Begin, frontBytes: number, volumeKey: SecretBytes): JsonObject {
  const { raw } = metadata;
  const previous = member(raw, 'segments', begin.previous[0]);
  const final = member(raw, 'segments', begin.final[0]);
  const tail = new Map(final).set('offset', String(frontBytes)).set('iv_tweak', ivTweakAt(begin.final[1], frontBytes));
  tail.delete('flags');
  const front = new Map(previous).set('size', String(frontBytes));
  front.delete('flags');
  const digest = pbkdf2Of(verificationData(begin, volumeKey), begin.ownDigest);
  return new Map(raw)
    .set('segments', numbered([front, tail, previous, final]))
    .set('keyslots', replaced(raw, 'keyslots', begin.slotId, { direction: 'backward' }))
    .set(
      'digests',
      replaced(
        new Map(raw).set('digests', replaced(raw, 'digests', begin.dataDigestId, { segments: ['1', '3'] })),
        'digests',
        begin.ownDigestId,
        { digest: Buffer.from(digest).toString('base64') },
      ),
    );
}

function ivTweakAt({ crypt }: Segment, frontBytes: number): string {
  return String((crypt?.ivTweak ?? 0n) + BigInt(frontBytes / 512));
}

/** What the reencryption's digest is made of: numbers big-endian, texts without an end, no lengths between. */
function verificationData({ areaType, area, previous, final }: Begin, volumeKey: SecretBytes): SecretBytes {
  const { crypt } = final[1];
  if (crypt === null) return refuse('the final segment is not encrypted');
  const parts = [
    'v2',
    volumeKey.bytes,
    'encrypt',
    'backward',
    areaType,
    u64(area.offset),
    u64(area.size),
    previous[1].type,
    u64(previous[1].offset),
    String(previous[1].size),
    final[1].type,
    u64(final[1].offset),
    String(final[1].size),
    u64(crypt.ivTweak),
    crypt.encryption,
    u64(BigInt(crypt.sectorSize)).subarray(4),
  ];
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const data = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    data.set(typeof part === 'string' ? Buffer.from(part, 'latin1') : part, at);
    at += part.length;
  }
  return SecretBytes.take(data);
}

function u64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}

function pbkdf2Of(secret: SecretBytes, { salt, iterations, hash, value }: Begin['ownDigest']): Uint8Array {
  using data = secret;
  return pbkdf2Sync(data.bytes, salt, iterations, value.length, hash);
}

function knowsKey({ pbkdf2 }: Digest, key: SecretBytes): boolean {
  if (pbkdf2 === null || pbkdf2.value.length < 16) return false;
  return Buffer.from(pbkdf2Of(SecretBytes.copy(key.bytes), pbkdf2)).equals(pbkdf2.value);
}

function numbered(segments: readonly JsonObject[]): JsonObject {
  return new Map(segments.map((segment, id) => [String(id), segment]));
}

function replaced(root: JsonObject, name: string, id: number, fields: Record<string, JsonValue>): JsonObject {
  const list = root.get(name);
  return new Map(isObject(list) ? list : []).set(
    String(id),
    new Map([...member(root, name, id), ...Object.entries(fields)]),
  );
}

function member(root: JsonObject, name: string, id: number): JsonObject {
  const list = root.get(name);
  const found = isObject(list) ? list.get(String(id)) : undefined;
  return isObject(found) ? found : refuse(`${name} ${id} is missing`);
}

function refuse(detail: string): never {
  throw new KannukiError('KNK-FMT-0120', { details: { detail } });
}
