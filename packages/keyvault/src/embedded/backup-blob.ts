import { randomBytes } from 'node:crypto';
import { KannukiError, SecretBytes } from '@kannuki/core';
import { isObjectName, type ObjectCollection } from '../object-id.ts';
import type { RestoredVersion } from './object-changes.ts';
import type { RowSealer } from './row-seal.ts';
import { bindFields, openSealed, seal } from './sealed.ts';

/** One object with all its versions, oldest first. */
export interface BackedUpObject {
  readonly name: string;
  /** Rotation policy as JSON text. */
  readonly policy: string | null;
  readonly versions: readonly RestoredVersion[];
}

/** REQ-343. */
export const mostBackedUpVersions = 500;

const magic = Buffer.from('KNKBAK01', 'latin1');
const saltEnd = magic.length + 32;
/** 500 versions of 25 KiB with attributes: no backup of ours is larger. */
const largestBackup = 48 * 1024 * 1024;

interface Head {
  readonly name: string;
  readonly policy: string | null;
  readonly versions: readonly (Omit<RestoredVersion, 'value'> & { readonly bytes: number })[];
}

/**
 * Magic, salt, and under a key of its own (from the row key of this database and the salt) sealed: a head in JSON with
 * its length, then the values one after the other. The values stay the caller's.
 */
export function writeBackup(sealer: RowSealer, collection: ObjectCollection, object: BackedUpObject): Uint8Array {
  const versions = object.versions.map(({ value, ...rest }) => ({ ...rest, bytes: value.length }));
  const head = Buffer.from(JSON.stringify({ name: object.name, policy: object.policy, versions } satisfies Head));
  const total = versions.reduce((sum, { bytes }) => sum + bytes, 4 + head.length);
  using plain = SecretBytes.take(Buffer.alloc(total));
  new DataView(plain.bytes.buffer, plain.bytes.byteOffset).setUint32(0, head.length);
  plain.bytes.set(head, 4);
  let at = 4 + head.length;
  for (const { value } of object.versions) {
    plain.bytes.set(value.bytes, at);
    at += value.length;
  }
  const salt = randomBytes(saltEnd - magic.length);
  using key = backupKey(sealer, salt);
  return Buffer.concat([magic, salt, seal(key, plain, context(collection))]);
}

/** @returns the object; the caller disposes the values @throws KannukiError KNK-KVT-0029 */
export async function readBackup(
  sealer: RowSealer,
  collection: ObjectCollection,
  backup: Uint8Array,
): Promise<BackedUpObject> {
  if (backup.length < saltEnd || backup.length > largestBackup) throw unusable('it has not the size of one');
  if (!magic.equals(backup.subarray(0, magic.length))) throw unusable('it is not a backup that a vault here made');
  using key = backupKey(sealer, backup.subarray(magic.length, saltEnd));
  using plain = await openSealed(key, backup.subarray(saltEnd), context(collection));
  // From here on it is what we wrote.
  if (plain === undefined) throw unusable('it was changed, is of another kind, or was made by another installation');
  const { bytes } = plain;
  const headEnd = 4 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  const head = JSON.parse(Buffer.from(bytes.subarray(4, headEnd)).toString('utf8')) as Head;
  if (!isObjectName(head.name)) throw unusable('its name is none');
  let at = headEnd;
  const versions = head.versions.map(({ bytes: length, ...rest }) => {
    const value = SecretBytes.copy(bytes.subarray(at, at + length));
    at += length;
    return { ...rest, value };
  });
  return { name: head.name, policy: head.policy, versions };
}

function backupKey(sealer: RowSealer, salt: Uint8Array): SecretBytes {
  return SecretBytes.take(sealer.keyedHash('backup key', [salt]));
}

function context(collection: ObjectCollection): Uint8Array {
  return bindFields(['kannuki backup 1', collection]);
}

function unusable(reason: string): KannukiError {
  return new KannukiError('KNK-KVT-0029', { details: { reason } });
}
