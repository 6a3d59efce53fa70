import type { SecretBytes } from '@kannuki/core';
import type { CurveName, PublicJwk } from './model.ts';

export type EncryptionAlgorithm = 'RSA-OAEP' | 'RSA-OAEP-256' | 'RSA1_5';
export type SignatureAlgorithm =
  | `${'PS' | 'RS'}${'256' | '384' | '512'}`
  | 'RSNULL'
  | 'ES256'
  | 'ES384'
  | 'ES512'
  | 'ES256K';

export type KeyShape = { readonly kty: 'RSA'; readonly bits: number } | { readonly kty: 'EC'; readonly crv: CurveName };

/** A key pair in a module: what the vault stores, sealed, in the place of a private key. */
export interface ModuleKey {
  readonly publicKey: PublicJwk;
  /** Names the key to the module that made it; means nothing outside it. */
  readonly handle: Uint8Array;
}

/** What this module can do: tokens differ (SoftHSM 2.6.1 does OAEP with SHA-1 only). */
export interface ModuleCapabilities {
  readonly shapes: readonly KeyShape[];
  readonly encryption: readonly EncryptionAlgorithm[];
  readonly signature: readonly SignatureAlgorithm[];
}

/**
 * Where HSM-protected keys (RSA-HSM, EC-HSM; REQ-327) live: generated inside, used inside, never extractable. Private
 * operations run off the event loop. Public ones (encrypt, verify) need no module.
 */
export interface KeyModule extends AsyncDisposable {
  readonly capabilities: ModuleCapabilities;
  generate(shape: KeyShape): Promise<ModuleKey>;
  /** @throws KannukiError KNK-KVT-0018 for whatever is wrong with the ciphertext */
  decrypt(handle: Uint8Array, algorithm: EncryptionAlgorithm, ciphertext: Uint8Array): Promise<SecretBytes>;
  /** @param digest of the length that the algorithm takes. @returns for EC: r then s, as JWS has it */
  sign(handle: Uint8Array, algorithm: SignatureAlgorithm, digest: Uint8Array): Promise<Uint8Array>;
  /** For a purge. Does nothing where the key is gone already. */
  destroy(handle: Uint8Array): Promise<void>;
}
