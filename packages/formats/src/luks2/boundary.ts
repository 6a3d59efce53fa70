import { KannukiError } from '@kannuki/core';
import { isObject, type JsonObject, type JsonValue } from '../json/ordered-json.ts';
import { checkMetadata } from './metadata.ts';
import {
  digestsOfSegment,
  isLive,
  type Luks2Metadata,
  liveSegments,
  reencryptKeyslot,
  segmentWithFlag,
} from './model.ts';

/**
 * How far an encryption has come for certain, by its header: all bytes before it are ciphertext. A piece that was under
 * conversion does not count.
 */
export function provenBoundary(metadata: Luks2Metadata): bigint {
  const [first] = liveSegments(metadata);
  if (first === undefined) return 0n;
  const { type, offset, size, flags } = first[1];
  return type === 'crypt' && offset === 0n && size !== 'dynamic' && !flags.includes('in-reencryption') ? size : 0n;
}

/**
 * The metadata of an encryption in place that has come to a boundary, as cryptsetup writes it between two pieces
 * (2.6.1, reencrypt_make_segments and reencrypt_assign_segments in lib/luks2/luks2_reencrypt.c). What the reencryption's
 * own digest covers (its key slot and the backup segments) stays as it is.
 * @param metadata of an encryption that is pending, at whatever boundary
 * @param boundary bytes of ciphertext from the start of the device; `end`: all of it
 * @throws KannukiError KNK-FMT-0108 when this is no encryption that goes forward from the start of the device
 */
export function atBoundary(metadata: Luks2Metadata, headerSize: number, boundary: bigint | 'end'): Luks2Metadata {
  const slot = reencryptKeyslot(metadata)?.[1];
  const before = segmentWithFlag(metadata, 'backup-previous');
  const after = segmentWithFlag(metadata, 'backup-final');
  if (slot === undefined || before === undefined || after === undefined)
    return refuse('no conversion is pending in it');
  if (slot.mode !== 'encrypt' || slot.direction !== 'forward') return refuse(`mode ${slot.mode}, ${slot.direction}`);
  if (before[1].type !== 'linear' || before[1].offset !== 0n || after[1].type !== 'crypt' || after[1].offset !== 0n) {
    return refuse('the data does not begin at the start of the device');
  }
  if (boundary !== 'end' && boundary % 4096n !== 0n) return refuse(`a boundary at byte ${boundary}`);
  const plain = withoutFlags(segmentJson(metadata, before[0]));
  const crypt = withoutFlags(segmentJson(metadata, after[0]));
  const live: JsonObject[] = [];
  if (boundary === 'end') live.push(crypt);
  else {
    if (boundary > 0n) live.push(new Map(crypt).set('size', String(boundary)));
    live.push(new Map(plain).set('offset', String(boundary)));
  }
  const backups = [...metadata.segments].filter(([, segment]) => !isLive(segment)).toSorted(([a], [b]) => a - b);
  const segments = [...live, ...backups.map(([id]) => segmentJson(metadata, id))];
  const newIds = new Map(backups.map(([id], index) => [id, live.length + index]));
  const dataDigests = new Set(digestsOfSegment(metadata, after[0]));
  const isCrypt = live[0]?.get('type') === 'crypt';

  const json = new Map(metadata.raw);
  json.set('segments', new Map(segments.map((segment, id) => [String(id), segment])));
  json.set(
    'digests',
    digestsWith(metadata, newIds, (id) => isCrypt && dataDigests.has(id)),
  );
  return checkMetadata(json, headerSize);
}

function digestsWith(
  metadata: Luks2Metadata,
  newIds: ReadonlyMap<number, number>,
  coversLive: (digest: number) => boolean,
): JsonObject {
  const digests = metadata.raw.get('digests');
  return new Map(
    [...(isObject(digests) ? digests : [])].map(([id, digest]): [string, JsonValue] => {
      const old = metadata.digests.get(Number(id))?.segments ?? [];
      const kept = old.flatMap((segment) => newIds.get(segment) ?? []);
      const ids = [...kept, ...(coversLive(Number(id)) ? [0] : [])].map(String);
      return [id, isObject(digest) ? new Map(digest).set('segments', ids) : digest];
    }),
  );
}

function segmentJson({ raw }: Luks2Metadata, id: number): JsonObject {
  const segments = raw.get('segments');
  const segment = isObject(segments) ? segments.get(String(id)) : undefined;
  return isObject(segment) ? segment : refuse(`segment ${id} is missing`);
}

function withoutFlags(segment: JsonObject): JsonObject {
  const rest = new Map(segment);
  rest.delete('flags');
  return rest;
}

function refuse(detail: string): never {
  throw new KannukiError('KNK-FMT-0108', { details: { detail } });
}
