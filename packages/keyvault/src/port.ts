import type { SecretBytes } from '@kannuki/core';

/** Kinds of key a vault can hold; only RSA can be a KEK (REQ-068). */
export type KeyKind = 'RSA' | 'RSA-HSM' | 'EC' | 'EC-HSM';

/** Wrap algorithms, named as JSON Web Algorithms (RFC 7518, 4.3). */
export const wrapAlgorithms = ['RSA-OAEP', 'RSA-OAEP-256'] as const;
export type WrapAlgorithm = (typeof wrapAlgorithms)[number];

export function isWrapAlgorithm(name: string): name is WrapAlgorithm {
  return (wrapAlgorithms as readonly string[]).includes(name);
}

export interface KeyInfo {
  /** With version: `https://VAULT/keys/NAME/VERSION`. */
  readonly id: string;
  readonly kind: KeyKind;
  /** Modulus length of RSA, size of the curve of EC. */
  readonly bits: number;
  readonly enabled: boolean;
  readonly operations: readonly string[];
}

export interface SecretAttributes {
  readonly contentType: string | null;
  readonly tags: Readonly<Record<string, string>>;
}

export interface StoredSecret extends SecretAttributes {
  /** With version: `https://VAULT/secrets/NAME/VERSION`. */
  readonly id: string;
  readonly enabled: boolean;
  /** The value's bytes (UTF-8 as the vault stores them); the caller disposes it. */
  readonly value: SecretBytes;
}

/**
 * What Kannuki needs of any vault. Every call is bounded in time, and every failure is a KannukiError
 * (KNK-KVT-…): not reachable, not permitted, not found and disabled are told apart.
 * Ids may come without version and then mean the newest; ids in answers always have one.
 */
export interface VaultPort {
  readonly vaultUri: string;
  /** What its keys can wrap with, the one to take first; a vault that does not say can do all of `wrapAlgorithms`. */
  readonly wrapAlgorithms?: readonly WrapAlgorithm[];
  keyInfo(keyId: string): Promise<KeyInfo>;
  /** @returns the ciphertext and the versioned id of the key that made it */
  wrapKey(keyId: string, algorithm: WrapAlgorithm, value: SecretBytes): Promise<WrappedKey>;
  unwrapKey(keyId: string, algorithm: WrapAlgorithm, wrapped: Uint8Array): Promise<SecretBytes>;
  /** Makes a new version. When this resolves, the version survives a power cut of the vault's machine. */
  setSecret(name: string, value: SecretBytes, attributes: SecretAttributes): Promise<{ readonly id: string }>;
  getSecret(secretId: string): Promise<StoredSecret>;
  /**
   * No version of the secret is given out any more (KNK-KVT-0004, or 0003 where the vault tells it so) until its owner enables
   * it again; nothing is destroyed. A secret that is disabled already stays so. A vault that cannot do it throws KNK-KVT-0026.
   */
  disableSecret(name: string): Promise<void>;
}

export interface WrappedKey {
  readonly keyId: string;
  readonly value: Uint8Array;
}
