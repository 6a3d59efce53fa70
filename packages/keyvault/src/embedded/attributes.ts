import type { KeyKind } from '../port.ts';
import type { KeyVersion, SecretVersion, Tags, Validity } from '../service/model.ts';
import { publicJwk } from './key-work/public-key.ts';
import type { VersionFields } from './row-seal.ts';

/** What versions of keys and secrets have in common. Times are whole seconds since 1970. */
interface CommonAttributes extends Validity {
  readonly tags: Tags;
  /** Null where nothing was changed since it was made. */
  readonly updated: number | null;
}

/**
 * The attributes of a version as JSON text in its row. The text is bound to the sealed value, so what is read here is
 * what was written; a field that a later release adds is optional for the rows of an earlier one.
 */
export interface KeyAttributes extends CommonAttributes {
  readonly kind: KeyKind;
  readonly bits: number;
  readonly operations: readonly string[];
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array;
}

export interface SecretVersionAttributes extends CommonAttributes {
  readonly contentType: string | null;
}

const added = { notBefore: null, expires: null, updated: null } as const;

export const keyAttributes = {
  write: ({ publicKey, ...rest }: KeyAttributes): string =>
    JSON.stringify({ ...rest, publicKey: Buffer.from(publicKey).toString('base64') }),
  read: (text: string): KeyAttributes => {
    const { publicKey, ...rest } = JSON.parse(text) as Omit<KeyAttributes, 'publicKey'> & { publicKey: string };
    return { ...added, ...rest, tags: rest.tags ?? {}, publicKey: Buffer.from(publicKey, 'base64') };
  },
} as const;

export const secretAttributes = {
  write: (attributes: SecretVersionAttributes): string => JSON.stringify(attributes),
  read: (text: string): SecretVersionAttributes => ({ ...added, ...(JSON.parse(text) as SecretVersionAttributes) }),
} as const;

export function keyVersion(fields: VersionFields, attributes: KeyAttributes): KeyVersion {
  const { kind, bits, operations, publicKey } = attributes;
  return { ...common(fields, attributes), kind, bits, operations, publicKey: publicJwk(publicKey) };
}

export function secretVersion(fields: VersionFields, attributes: SecretVersionAttributes): SecretVersion {
  return { ...common(fields, attributes), contentType: attributes.contentType };
}

function common({ name, version, createdAt }: VersionFields, attributes: CommonAttributes) {
  const { enabled, notBefore, expires, tags, updated } = attributes;
  const created = Math.floor(createdAt / 1000);
  return { name, version, enabled, notBefore, expires, tags, created, updated: updated ?? created };
}
