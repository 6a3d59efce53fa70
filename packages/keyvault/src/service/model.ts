import type { SecretBytes } from '@kannuki/core';
import type { KeyKind } from '../port.ts';

/** Times are whole seconds since 1970, as on the wire (RFC 7519, NumericDate). */
export interface Validity {
  readonly enabled: boolean;
  readonly notBefore: number | null;
  readonly expires: number | null;
}

export interface Stamps {
  readonly created: number;
  readonly updated: number;
}

export type CurveName = 'P-256' | 'P-384' | 'P-521' | 'P-256K';

/** Public part as JWK members (RFC 7518, 6.2 and 6.3), base64url without padding. */
export type PublicJwk =
  | { readonly kty: 'RSA'; readonly n: string; readonly e: string }
  | { readonly kty: 'EC'; readonly crv: CurveName; readonly x: string; readonly y: string };

export type Tags = Readonly<Record<string, string>>;

export interface KeyVersion extends Validity, Stamps {
  readonly name: string;
  /** 32 hexadecimal digits. */
  readonly version: string;
  readonly kind: KeyKind;
  /** Modulus length of RSA, size of the curve of EC. */
  readonly bits: number;
  readonly publicKey: PublicJwk;
  readonly operations: readonly string[];
  readonly tags: Tags;
}

export interface SecretVersion extends Validity, Stamps {
  readonly name: string;
  readonly version: string;
  readonly contentType: string | null;
  readonly tags: Tags;
}

export interface SecretWithValue extends SecretVersion {
  /** The caller disposes it. */
  readonly value: SecretBytes;
}

/** What deletion adds to the newest version of an object (REQ-333). Seconds since 1970. */
export interface Deletion {
  readonly deletedDate: number;
  readonly scheduledPurgeDate: number;
}

export type DeletedKey = KeyVersion & Deletion;
export type DeletedSecret = SecretVersion & Deletion;

export interface Page<Item> {
  readonly items: readonly Item[];
  /** Opaque: give it back as `after` for what follows; null at the end. */
  readonly next: string | null;
}

export interface PageRequest {
  /** 1 to 25 (REQ-332). */
  readonly limit: number;
  readonly after: string | null;
}

/** REQ-340. Durations are ISO 8601 texts as they were given. */
export interface RotationPolicy {
  readonly lifetimeActions: readonly {
    readonly action: 'Rotate' | 'Notify';
    readonly timeAfterCreate: string | null;
    readonly timeBeforeExpiry: string | null;
  }[];
  readonly expiryTime: string | null;
  readonly created: number;
  readonly updated: number;
}

export interface KeyChange {
  readonly enabled?: boolean;
  readonly notBefore?: number | null;
  readonly expires?: number | null;
  readonly operations?: readonly string[];
  readonly tags?: Tags;
}

export interface SecretChange {
  readonly enabled?: boolean;
  readonly notBefore?: number | null;
  readonly expires?: number | null;
  readonly contentType?: string | null;
  readonly tags?: Tags;
}
