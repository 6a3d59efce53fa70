import { randomBytes } from 'node:crypto';
import { KannukiError, SecretBytes } from '@kannuki/core';
import { isObject, type JsonObject, type JsonValue, printJson } from '../json/ordered-json.ts';
import { splitIntoStripes } from './anti-forensic.ts';
import { binaryHeaderSize, encodeHeaderCopy } from './binary-header.ts';
import type { Luks2HeaderContent } from './header.ts';
import { knowsKey, pbkdf2Of, problemOf, storedSize } from './keyslot.ts';
import { checkMetadata } from './metadata.ts';
import { digestsOfSegment, type Luks2Metadata, type PassphraseKeyslot, type Pbkdf2 } from './model.ts';
import { changed, filtered, isEmpty, withIds } from './rewrite.ts';
import { encryptSectors } from './sectors.ts';

/** What a header is rebuilt from: a header record, or what is left of a header. */
export type HeaderSource = Pick<
  Luks2HeaderContent,
  'headerSize' | 'sequenceId' | 'uuid' | 'label' | 'subsystem' | 'metadata'
>;

export interface RebuiltHeader {
  /** From the start of the file: both copies and the key slot's area; what lies behind them is not part of it. */
  readonly bytes: Uint8Array;
  /** Bytes of the whole file, room for the work area of a conversion included. */
  readonly fileSize: number;
  /** The slot that the passphrase opens. */
  readonly keyslot: number;
  /** Slots whose contents nobody has: a record holds no key material but the volume key. They are gone. */
  readonly droppedKeyslots: readonly number[];
}

/** As Kannuki makes the slots of machines; the passphrase is random, so a slow derivation would protect nothing. */
const machineKdf = { hash: 'sha256', iterations: 1000 } as const;
const sectorSize = 512;

/**
 * Makes a LUKS2 header anew: same UUID, segments, digests and layout, both copies with right checksums, and one key slot
 * for the passphrase. Everything that is encrypted must be so with the given volume key, which is compared with the digests.
 * @throws KannukiError KNK-FMT-0108 when the source does not go with the key, or has no slot that can be made here
 */
export function rebuildHeader(
  source: HeaderSource,
  secrets: { readonly volumeKey: SecretBytes; readonly passphrase: SecretBytes },
): RebuiltHeader {
  const { metadata, headerSize } = source;
  const { volumeKey, passphrase } = secrets;
  const [id, slot] = findSlot(metadata, volumeKey);
  const kdf = { type: 'pbkdf2', ...machineKdf, salt: randomBytes(32) } as const;
  const dropped = [...metadata.keyslots].flatMap(([other, { type }]) =>
    other === id || type === 'reencrypt' ? [] : [other],
  );
  const json = withOneSlot(metadata, new Set(dropped), id, kdf);
  checkMetadata(json, headerSize);
  const text = Buffer.from(printJson(json), 'utf8');
  if (text.length >= headerSize - binaryHeaderSize) return refuse('the JSON does not fit its area');

  const areaStart = Number(slot.area.offset);
  const bytes = Buffer.alloc(areaStart + Number(slot.area.size));
  for (const secondary of [false, true]) {
    const { uuid, label, subsystem } = source;
    const salt = randomBytes(64);
    const sequenceId = source.sequenceId + 1n;
    const binary = { secondary, headerSize, sequenceId, label, checksumAlgorithm: 'sha256', salt, uuid, subsystem };
    bytes.set(encodeHeaderCopy(binary, text), secondary ? headerSize : 0);
  }
  bytes.set(slotArea(slot, kdf, volumeKey, passphrase), areaStart);
  return {
    bytes,
    fileSize: 2 * headerSize + Number(metadata.config.keyslotsSize),
    keyslot: id,
    droppedKeyslots: dropped,
  };
}

/** The first passphrase slot of the volume key, after a look that all encrypted segments have this key and no other. */
function findSlot(metadata: Luks2Metadata, volumeKey: SecretBytes): readonly [number, PassphraseKeyslot] {
  const [digestId, digest] = [...metadata.digests].find(([, candidate]) => knowsKey(candidate, volumeKey)) ?? [];
  if (digest === undefined) return refuse('the volume key is not that of its digests');
  for (const [id, { type }] of metadata.segments) {
    if (type === 'crypt' && digestsOfSegment(metadata, id).join() !== String(digestId)) {
      return refuse(`segment ${id} has another volume key`);
    }
  }
  let problem = 'no key slot for the volume key';
  for (const id of digest.keyslots) {
    const slot = metadata.keyslots.get(id);
    if (slot?.type !== 'luks2') continue;
    // The derivation is made anew, so only the rest of the slot has to be of a kind that can be made.
    const found = problemOf({ ...slot, kdf: emptyKdf }, Number(slot.area.offset + slot.area.size));
    if (found === undefined && slot.keySize === volumeKey.length) return [id, slot];
    problem = `key slot ${id}: ${found ?? `volume key of ${slot.keySize} bytes`}`;
  }
  return refuse(problem);
}

const emptyKdf: Pbkdf2 = { type: 'pbkdf2', ...machineKdf, salt: new Uint8Array(0) };

function withOneSlot(metadata: Luks2Metadata, dropped: ReadonlySet<number>, id: number, kdf: Pbkdf2): JsonObject {
  const { raw } = metadata;
  const keep = (other: number): boolean => !dropped.has(other);
  const keyslots = new Map(filtered(raw, 'keyslots', keep));
  const slot = keyslots.get(String(id));
  if (!isObject(slot)) return refuse(`key slot ${id} is missing`);
  const kdfJson: JsonObject = new Map<string, JsonValue>([
    ['type', kdf.type],
    ['hash', kdf.hash],
    ['iterations', { digits: String(kdf.iterations) }],
    ['salt', Buffer.from(kdf.salt).toString('base64')],
  ]);
  keyslots.set(String(id), new Map(slot).set('kdf', kdfJson));
  return new Map(raw)
    .set('keyslots', keyslots)
    .set(
      'tokens',
      changed(raw, 'tokens', (token) => withIds(token, 'keyslots', keep)),
    )
    .set(
      'digests',
      changed(raw, 'digests', (digest) => {
        const left = withIds(digest, 'keyslots', keep);
        return isEmpty(left.get('keyslots')) && isEmpty(left.get('segments')) ? undefined : left;
      }),
    );
}

/** The volume key in stripes, encrypted with what the passphrase derives to (LUKS2 specification, 3.2 and 5). */
function slotArea(slot: PassphraseKeyslot, kdf: Pbkdf2, volumeKey: SecretBytes, passphrase: SecretBytes): Uint8Array {
  const { stripes, hash } = slot.antiForensic;
  using split = splitIntoStripes(volumeKey, randomBytes((stripes - 1) * volumeKey.length), hash);
  const padded = new Uint8Array(storedSize(slot));
  padded.set(split.bytes);
  using whole = SecretBytes.take(padded);
  using areaKey = pbkdf2Of(passphrase, kdf, slot.area.keySize);
  return encryptSectors(whole, areaKey, { sectorSize, firstSector: 0 });
}

function refuse(detail: string): never {
  throw new KannukiError('KNK-FMT-0108', { details: { detail } });
}
