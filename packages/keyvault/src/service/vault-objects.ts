import type { SecretBytes } from '@kannuki/core';
import type { EncryptionAlgorithm, KeyShape, SignatureAlgorithm } from './key-module.ts';
import type {
  DeletedKey,
  DeletedSecret,
  KeyChange,
  KeyVersion,
  Page,
  PageRequest,
  RotationPolicy,
  SecretChange,
  SecretVersion,
  SecretWithValue,
  Tags,
  Validity,
} from './model.ts';

export interface NewKeySpec extends Validity {
  readonly shape: KeyShape;
  /** Generated in the HSM and never leaves it; premium vaults only. */
  readonly hardware: boolean;
  /** Null: all that the kind of key can do, as Azure. */
  readonly operations: readonly string[] | null;
  readonly tags: Tags;
}

/** Private key as PKCS #8 DER; taken over and wiped. */
export interface ImportedKeySpec extends Omit<NewKeySpec, 'shape'> {
  readonly privateKey: SecretBytes;
}

export interface NewSecretSpec extends Validity {
  /** UTF-8, at most 25 KiB; stays the caller's. */
  readonly value: SecretBytes;
  readonly contentType: string | null;
  readonly tags: Tags;
}

/** What one call on a deleted or live object needs of its vault's settings. */
export interface VaultTerms {
  readonly retentionDays: number;
  readonly purgeProtection: boolean;
  readonly premium: boolean;
}

/**
 * Keys of one vault. `version` null means the newest. Names compare without regard to letter case. Every call rejects
 * with KannukiError: KNK-KVT-0003 not found · 0004 disabled · 0018 wrong ciphertext or value · 0021 the name is held by
 * a live or deleted object · 0022 wrong parameter · 0023 operation not in key_ops · 0024 outside nbf/exp · 0025 may not
 * be purged yet · 0026 this vault or module cannot do it · 0027 sealed · 0029 the backup is not one of ours.
 * When a call that changes something resolves, the change survives a power cut.
 */
export interface VaultKeys {
  create(name: string, spec: NewKeySpec, terms: VaultTerms): Promise<KeyVersion>;
  import(name: string, spec: ImportedKeySpec, terms: VaultTerms): Promise<KeyVersion>;
  get(name: string, version: string | null): Promise<KeyVersion>;
  /** The newest version of each key, by name. */
  list(page: PageRequest): Promise<Page<KeyVersion>>;
  versions(name: string, page: PageRequest): Promise<Page<KeyVersion>>;
  update(name: string, version: string | null, change: KeyChange): Promise<KeyVersion>;
  delete(name: string, terms: VaultTerms): Promise<DeletedKey>;
  getDeleted(name: string): Promise<DeletedKey>;
  listDeleted(page: PageRequest): Promise<Page<DeletedKey>>;
  recover(name: string): Promise<KeyVersion>;
  purge(name: string, terms: VaultTerms): Promise<void>;
  /** Opaque and sealed: of use to this installation only (REQ-343). */
  backup(name: string): Promise<Uint8Array>;
  restore(backup: Uint8Array): Promise<KeyVersion>;
  rotate(name: string, terms: VaultTerms): Promise<KeyVersion>;
  rotationPolicy(name: string): Promise<RotationPolicy>;
  setRotationPolicy(
    name: string,
    policy: Pick<RotationPolicy, 'lifetimeActions' | 'expiryTime'>,
  ): Promise<RotationPolicy>;
  /** `operation` is what key_ops must hold: encrypt and wrapKey are one computation with two names. */
  encrypt(
    name: string,
    version: string | null,
    operation: 'encrypt' | 'wrapKey',
    algorithm: EncryptionAlgorithm,
    plain: SecretBytes,
  ): Promise<{ readonly key: KeyVersion; readonly value: Uint8Array }>;
  /** The caller disposes the value. */
  decrypt(
    name: string,
    version: string | null,
    operation: 'decrypt' | 'unwrapKey',
    algorithm: EncryptionAlgorithm,
    ciphertext: Uint8Array,
  ): Promise<{ readonly key: KeyVersion; readonly value: SecretBytes }>;
  sign(
    name: string,
    version: string | null,
    algorithm: SignatureAlgorithm,
    digest: Uint8Array,
  ): Promise<{ readonly key: KeyVersion; readonly value: Uint8Array }>;
  verify(
    name: string,
    version: string | null,
    algorithm: SignatureAlgorithm,
    digest: Uint8Array,
    signature: Uint8Array,
  ): Promise<{ readonly key: KeyVersion; readonly value: boolean }>;
}

/** Secrets of one vault; the same rules and errors as `VaultKeys`. */
export interface VaultSecrets {
  set(name: string, spec: NewSecretSpec, terms: VaultTerms): Promise<SecretVersion>;
  /** Works outside nbf/exp; 0004 where it is disabled (REQ-346). */
  get(name: string, version: string | null): Promise<SecretWithValue>;
  list(page: PageRequest): Promise<Page<SecretVersion>>;
  versions(name: string, page: PageRequest): Promise<Page<SecretVersion>>;
  update(name: string, version: string | null, change: SecretChange): Promise<SecretVersion>;
  delete(name: string, terms: VaultTerms): Promise<DeletedSecret>;
  getDeleted(name: string): Promise<DeletedSecret>;
  listDeleted(page: PageRequest): Promise<Page<DeletedSecret>>;
  recover(name: string): Promise<SecretVersion>;
  purge(name: string, terms: VaultTerms): Promise<void>;
  backup(name: string): Promise<Uint8Array>;
  restore(backup: Uint8Array): Promise<SecretVersion>;
}

/** One vault of the embedded database, as the data plane uses it: `EmbeddedVault` is one. */
export interface VaultObjects {
  readonly keys: VaultKeys;
  readonly secrets: VaultSecrets;
}
