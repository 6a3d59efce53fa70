import {
  isArray,
  isNumber,
  isObject,
  type JsonObject,
  JsonProblem,
  type JsonValue,
  parseJson,
} from '../json/ordered-json.ts';
import { binaryHeaderSize } from './binary-header.ts';
import type { Area, Config, Digest, Keyslot, Luks2Metadata, Pbkdf2, Segment, Token } from './model.ts';

/** Bounds of cryptsetup's own (lib/luks2/luks2.h). */
const maxKeyslots = 32;
const maxTokens = 32;
const maxSegments = 32;
const maxDigests = 8;
const maxUint64 = 2n ** 64n - 1n;
const maxKeyslotsSize = 128n * 1024n * 1024n;
const areaAlignment = 4096n;

/**
 * Reads and checks the JSON area of one header copy, the way cryptsetup's validation does: references lead somewhere,
 * areas lie behind both copies and apart from each other.
 * @param area bytes behind the 4096 of the binary header, zero-filled at their end
 * @param headerSize bytes of one copy, binary header included
 * @throws JsonProblem with what is wrong
 */
export function readMetadata(area: Uint8Array, headerSize: number): Luks2Metadata {
  return checkMetadata(parseArea(area), headerSize);
}

/** The same for JSON that comes from elsewhere. @throws JsonProblem */
export function checkMetadata(raw: JsonObject, headerSize: number): Luks2Metadata {
  const config = readConfig(member(raw, 'config'));
  if (config.jsonSize !== BigInt(headerSize - binaryHeaderSize)) fail('config.json_size differs from the area');
  const metadata: Luks2Metadata = {
    keyslots: numbered(raw, 'keyslots', maxKeyslots, readKeyslot),
    tokens: numbered(raw, 'tokens', maxTokens, readToken),
    segments: numbered(raw, 'segments', maxSegments, readSegment),
    digests: numbered(raw, 'digests', maxDigests, readDigest),
    config,
    raw,
  };
  checkAreas(metadata, BigInt(headerSize));
  checkReferences(metadata);
  return metadata;
}

function parseArea(area: Uint8Array): JsonObject {
  const end = area.indexOf(0);
  if (end < 0) fail('the JSON area has no terminating zero');
  if (area.subarray(end).some((byte) => byte !== 0)) fail('bytes behind the end of the JSON');
  if (area[0] !== 0x7b) fail('the JSON area does not begin with "{"');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(area.subarray(0, end));
  } catch {
    fail('the JSON is not UTF-8');
  }
  return object(parseJson(text), 'the header');
}

function readConfig(value: JsonValue): Config {
  const config = object(value, 'config');
  const keyslotsSize = uint64(member(config, 'keyslots_size'), 'config.keyslots_size');
  if (keyslotsSize % areaAlignment !== 0n) fail('config.keyslots_size is not a multiple of 4096');
  if (keyslotsSize > maxKeyslotsSize) fail('config.keyslots_size is more than 128 MiB');
  const requirements = config.get('requirements');
  const mandatory = requirements === undefined ? undefined : object(requirements, 'requirements').get('mandatory');
  return {
    jsonSize: uint64(member(config, 'json_size'), 'config.json_size'),
    keyslotsSize,
    flags: strings(config.get('flags'), 'config.flags'),
    requirements: strings(mandatory, 'config.requirements.mandatory'),
  };
}

function readKeyslot(keyslot: JsonObject, where: string): Keyslot {
  const type = text(member(keyslot, 'type'), `${where}.type`);
  const areaJson = keyslot.get('area');
  if (type === 'reencrypt') {
    const json = object(member(keyslot, 'area'), `${where}.area`);
    return {
      type,
      mode: oneOf(member(keyslot, 'mode'), ['encrypt', 'decrypt', 'reencrypt'], `${where}.mode`),
      direction: oneOf(member(keyslot, 'direction'), ['forward', 'backward'], `${where}.direction`),
      resilience: text(member(json, 'type'), `${where}.area.type`),
      area: readArea(json, `${where}.area`),
    };
  }
  if (type !== 'luks2') {
    return { type: 'other', area: isObject(areaJson) && areaJson.has('offset') ? readArea(areaJson, where) : null };
  }
  const area = object(member(keyslot, 'area'), `${where}.area`);
  const split = object(member(keyslot, 'af'), `${where}.af`);
  oneOf(member(split, 'type'), ['luks1'], `${where}.af.type`);
  return {
    type,
    keySize: count(member(keyslot, 'key_size'), `${where}.key_size`),
    area: {
      ...readArea(area, `${where}.area`),
      encryption: text(member(area, 'encryption'), `${where}.area.encryption`),
      keySize: count(member(area, 'key_size'), `${where}.area.key_size`),
    },
    kdf: readKdf(object(member(keyslot, 'kdf'), `${where}.kdf`), `${where}.kdf`),
    antiForensic: {
      stripes: count(member(split, 'stripes'), `${where}.af.stripes`),
      hash: text(member(split, 'hash'), `${where}.af.hash`),
    },
  };
}

function readArea(json: JsonObject, where: string): Area {
  return {
    offset: uint64(member(json, 'offset'), `${where}.offset`),
    size: uint64(member(json, 'size'), `${where}.size`),
  };
}

function readKdf(kdf: JsonObject, where: string): Pbkdf2 | { type: 'argon2i' | 'argon2id' } {
  const type = oneOf(member(kdf, 'type'), ['pbkdf2', 'argon2i', 'argon2id'], `${where}.type`);
  return type === 'pbkdf2' ? readPbkdf2(kdf, where) : { type };
}

function readPbkdf2(kdf: JsonObject, where: string): Pbkdf2 {
  return {
    type: 'pbkdf2',
    hash: text(member(kdf, 'hash'), `${where}.hash`),
    iterations: count(member(kdf, 'iterations'), `${where}.iterations`),
    salt: base64(member(kdf, 'salt'), `${where}.salt`),
  };
}

function readToken(token: JsonObject, where: string): Token {
  return {
    type: text(member(token, 'type'), `${where}.type`),
    keyslots: ids(member(token, 'keyslots'), `${where}.keyslots`),
  };
}

function readSegment(segment: JsonObject, where: string): Segment {
  const type = text(member(segment, 'type'), `${where}.type`);
  const size = member(segment, 'size');
  return {
    type: type === 'crypt' || type === 'linear' ? type : 'other',
    offset: uint64(member(segment, 'offset'), `${where}.offset`),
    size: size === 'dynamic' ? size : uint64(size, `${where}.size`),
    flags: strings(segment.get('flags'), `${where}.flags`),
    crypt:
      type === 'crypt'
        ? {
            encryption: text(member(segment, 'encryption'), `${where}.encryption`),
            ivTweak: uint64(member(segment, 'iv_tweak'), `${where}.iv_tweak`),
            sectorSize: sectorSize(member(segment, 'sector_size'), `${where}.sector_size`),
          }
        : null,
  };
}

function sectorSize(value: JsonValue, where: string): number {
  const size = count(value, where);
  if (![512, 1024, 2048, 4096].includes(size)) fail(`${where} is not a sector size`);
  return size;
}

function readDigest(digest: JsonObject, where: string): Digest {
  const type = text(member(digest, 'type'), `${where}.type`);
  return {
    type,
    keyslots: ids(member(digest, 'keyslots'), `${where}.keyslots`),
    segments: ids(member(digest, 'segments'), `${where}.segments`),
    pbkdf2:
      type === 'pbkdf2'
        ? { ...readPbkdf2(digest, where), value: base64(member(digest, 'digest'), `${where}.digest`) }
        : null,
  };
}

function checkAreas(metadata: Luks2Metadata, headerSize: bigint): void {
  const start = 2n * headerSize;
  const areas = [...metadata.keyslots.values()]
    .map((keyslot) => keyslot.area)
    .filter((area) => area !== null)
    .toSorted((a, b) => (a.offset < b.offset ? -1 : 1));
  let free = start;
  for (const { offset, size } of areas) {
    if (offset < free) fail(`the area at ${offset} overlaps what is before it`);
    free = offset + size;
  }
  if (free > start + metadata.config.keyslotsSize) fail('an area reaches behind the end of the key slots');
}

function checkReferences({ keyslots, tokens, segments, digests }: Luks2Metadata): void {
  const reencrypting = [...keyslots.values()].filter((keyslot) => keyslot.type === 'reencrypt');
  if (reencrypting.length > 1) fail('more than one reencryption key slot');
  for (const [id, token] of tokens) checkIds(token.keyslots, keyslots, `tokens.${id}`);
  for (const [id, digest] of digests) {
    checkIds(digest.keyslots, keyslots, `digests.${id}.keyslots`);
    checkIds(digest.segments, segments, `digests.${id}.segments`);
  }
  if (segments.size === 0) fail('no segments');
  for (let id = 0; id < segments.size; id++) if (!segments.has(id)) fail(`segment ${id} is missing`);
}

function checkIds(references: readonly number[], targets: ReadonlyMap<number, unknown>, where: string): void {
  for (const id of references) if (!targets.has(id)) fail(`${where} names ${id}, which does not exist`);
}

function numbered<T>(
  root: JsonObject,
  name: string,
  limit: number,
  read: (value: JsonObject, where: string) => T,
): ReadonlyMap<number, T> {
  const json = object(member(root, name), name);
  if (json.size > limit) fail(`${name}: more than ${limit}`);
  return new Map([...json].map(([key, value]) => [id(key, name), read(object(value, name), `${name}.${key}`)]));
}

function id(value: JsonValue, where: string): number {
  if (typeof value !== 'string' || !/^(?:0|[1-9]\d?)$/.test(value)) fail(`${where}: not a valid number of an object`);
  return Number(value);
}

function ids(value: JsonValue, where: string): readonly number[] {
  return array(value, where).map((item) => id(item, where));
}

function member(value: JsonObject, name: string): JsonValue {
  const found = value.get(name);
  if (found === undefined) fail(`${name} is missing`);
  return found;
}

function object(value: JsonValue, where: string): JsonObject {
  if (!isObject(value)) fail(`${where} is not an object`);
  return value;
}

function array(value: JsonValue, where: string): readonly JsonValue[] {
  if (!isArray(value)) fail(`${where} is not an array`);
  return value;
}

function text(value: JsonValue, where: string): string {
  if (typeof value !== 'string') fail(`${where} is not a string`);
  return value;
}

function strings(value: JsonValue | undefined, where: string): readonly string[] {
  return value === undefined ? [] : array(value, where).map((item) => text(item, where));
}

function oneOf<const T extends string>(value: JsonValue, known: readonly T[], where: string): T {
  const found = known.find((name) => name === value);
  if (found === undefined) fail(`${where} is none of ${known.join(', ')}`);
  return found;
}

/** A whole JSON number of at least one. */
function count(value: JsonValue, where: string): number {
  const found = isNumber(value) && /^[1-9]\d{0,9}$/.test(value.digits) ? Number(value.digits) : 0;
  if (found === 0) fail(`${where} is not a positive whole number`);
  return found;
}

/** A 64-bit number, written as a decimal string. */
function uint64(value: JsonValue, where: string): bigint {
  if (typeof value !== 'string' || !/^\d{1,20}$/.test(value)) fail(`${where} is not a decimal string`);
  const found = BigInt(value);
  if (found > maxUint64) fail(`${where} does not fit 64 bits`);
  return found;
}

function base64(value: JsonValue, where: string): Uint8Array {
  const encoded = text(value, where);
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(encoded)) fail(`${where} is not base64`);
  return Uint8Array.from(Buffer.from(encoded, 'base64'));
}

function fail(what: string): never {
  throw new JsonProblem(what);
}
