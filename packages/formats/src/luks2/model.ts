import type { JsonObject } from '../json/ordered-json.ts';

/**
 * The JSON metadata of a LUKS2 header, checked and typed (LUKS2 On-Disk Format Specification 1.1, section 3).
 * Offsets and sizes are bytes. Sizes that the format writes as decimal strings are bigint.
 */
export interface Luks2Metadata {
  readonly keyslots: ReadonlyMap<number, Keyslot>;
  readonly tokens: ReadonlyMap<number, Token>;
  readonly segments: ReadonlyMap<number, Segment>;
  readonly digests: ReadonlyMap<number, Digest>;
  readonly config: Config;
  /** The same, as it was written: the base of every rewrite, so that what we do not know survives. */
  readonly raw: JsonObject;
}

/** Where a key slot's data lies in the header file. */
export interface Area {
  readonly offset: bigint;
  readonly size: bigint;
}

export type Keyslot = PassphraseKeyslot | ReencryptKeyslot | OtherKeyslot;

/** A slot that holds a volume key under a passphrase. */
export interface PassphraseKeyslot {
  readonly type: 'luks2';
  /** Of the volume key, bytes. */
  readonly keySize: number;
  readonly area: Area & { readonly encryption: string; readonly keySize: number };
  readonly kdf: Pbkdf2 | Argon2;
  readonly antiForensic: { readonly stripes: number; readonly hash: string };
}

export interface Pbkdf2 {
  readonly type: 'pbkdf2';
  readonly hash: string;
  readonly iterations: number;
  readonly salt: Uint8Array;
}

export interface Argon2 {
  readonly type: 'argon2i' | 'argon2id';
}

export type ReencryptionMode = 'encrypt' | 'decrypt' | 'reencrypt';

/** The slot without a key in which cryptsetup keeps the state of a running reencryption. */
export interface ReencryptKeyslot {
  readonly type: 'reencrypt';
  readonly mode: ReencryptionMode;
  readonly direction: 'forward' | 'backward';
  readonly resilience: string;
  readonly area: Area;
}

/** A slot of a type we do not know; only its area matters to us. */
export interface OtherKeyslot {
  readonly type: 'other';
  readonly area: Area | null;
}

export interface Token {
  readonly type: string;
  readonly keyslots: readonly number[];
}

/** A range of the data device. */
export interface Segment {
  readonly type: 'crypt' | 'linear' | 'other';
  readonly offset: bigint;
  readonly size: bigint | 'dynamic';
  readonly flags: readonly string[];
  /** Of type crypt only. */
  readonly crypt: { readonly encryption: string; readonly ivTweak: bigint; readonly sectorSize: number } | null;
}

/** Binds key slots and segments to one volume key, and tells whether a key is that one. */
export interface Digest {
  readonly type: string;
  readonly keyslots: readonly number[];
  readonly segments: readonly number[];
  readonly pbkdf2: (Pbkdf2 & { readonly value: Uint8Array }) | null;
}

export interface Config {
  readonly jsonSize: bigint;
  readonly keyslotsSize: bigint;
  readonly flags: readonly string[];
  /** Features a program must know to use the header, e.g. `online-reencrypt-v2`. */
  readonly requirements: readonly string[];
}

/** Segments that describe the device now; the others are cryptsetup's notes about a running reencryption. */
export function isLive(segment: Segment): boolean {
  return !segment.flags.some((flag) => flag.startsWith('backup-'));
}

/** The live segments with their ids, in the order in which they lie on the device. */
export function liveSegments(metadata: Luks2Metadata): readonly (readonly [number, Segment])[] {
  return [...metadata.segments].filter(([, segment]) => isLive(segment)).toSorted(([a], [b]) => a - b);
}

export function segmentWithFlag(metadata: Luks2Metadata, flag: string): readonly [number, Segment] | undefined {
  return [...metadata.segments].find(([, segment]) => segment.flags.includes(flag));
}

/** Ids of the digests that a segment is bound to: one for a crypt segment, two while it goes from one key to another. */
export function digestsOfSegment(metadata: Luks2Metadata, segmentId: number): readonly number[] {
  return [...metadata.digests].filter(([, digest]) => digest.segments.includes(segmentId)).map(([id]) => id);
}

/** Whether two segments are bound to the same keys. */
export function haveSameKeys(metadata: Luks2Metadata, segmentId: number, otherId: number): boolean {
  return digestsOfSegment(metadata, segmentId).join() === digestsOfSegment(metadata, otherId).join();
}

export function reencryptKeyslot(metadata: Luks2Metadata): readonly [number, ReencryptKeyslot] | undefined {
  for (const [id, keyslot] of metadata.keyslots) if (keyslot.type === 'reencrypt') return [id, keyslot];
  return undefined;
}
