import type { KeyKind } from '../port.ts';

/**
 * The attributes of a version as JSON text in its row. The text is bound to the sealed value, so what is read here is
 * what was written; a field that a later release adds is optional for the rows of an earlier one.
 */
export interface KeyAttributes {
  readonly enabled: boolean;
  readonly kind: KeyKind;
  readonly bits: number;
  readonly operations: readonly string[];
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array;
}

export interface SecretVersionAttributes {
  readonly enabled: boolean;
  readonly contentType: string | null;
  readonly tags: Readonly<Record<string, string>>;
}

export const keyAttributes = {
  write: ({ publicKey, ...rest }: KeyAttributes): string =>
    JSON.stringify({ ...rest, publicKey: Buffer.from(publicKey).toString('base64') }),
  read: (text: string): KeyAttributes => {
    const { publicKey, ...rest } = JSON.parse(text) as Omit<KeyAttributes, 'publicKey'> & { publicKey: string };
    return { ...rest, publicKey: Buffer.from(publicKey, 'base64') };
  },
} as const;

export const secretAttributes = {
  write: (attributes: SecretVersionAttributes): string => JSON.stringify(attributes),
  read: (text: string): SecretVersionAttributes => JSON.parse(text) as SecretVersionAttributes,
} as const;
