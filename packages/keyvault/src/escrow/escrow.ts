import { isUtf8 } from 'node:buffer';
import { KannukiError, SecretBytes } from '@kannuki/core';
import { maximumSecretBytes } from '../limits.ts';
import { isObjectName, isSameVersion } from '../object-id.ts';
import { type VaultPort, type WrapAlgorithm, wrapAlgorithms } from '../port.ts';
import { requireUsableKek } from './kek.ts';
import type { BlobReceipt, EscrowReceipt, PassphraseContentType } from './receipt.ts';
import { readBackDiffers, storeAndReadBack } from './store.ts';
import { vaultCall } from './vault-call.ts';

/** Name of the passphrase's file on the key volume; data disks may have their own `…_CONTROLLER_LUN` (REQ-097). */
export const defaultKeyFileName = 'LinuxPassPhraseFileName';

export interface EscrowPassphraseOptions {
  /** Stays the caller's, who disposes it. */
  readonly passphrase: SecretBytes;
  /** ADE takes a random GUID; write it down before the call, so that a retry makes a version and no orphan. */
  readonly secretName: string;
  /** Versioned or not; null stores the passphrase unwrapped (REQ-069). */
  readonly kekId: string | null;
  /** Where the KEK lives when it is not the vault of the secret (REQ-131, REQ-135). */
  readonly kekVault?: VaultPort;
  /** Default: what the vault of the KEK takes first. */
  readonly algorithm?: WrapAlgorithm;
  readonly keyFileName?: string;
  readonly machineName?: string;
  /** ADE's word; on Linux a name of the volume for people, e.g. its mount point. */
  readonly volumeLetter?: string;
  /** Further tags; ADE's own names win. */
  readonly tags?: Readonly<Record<string, string>>;
}

/**
 * Escrow (rule 1): check the KEK, wrap, store with ADE's tags and content type, read that version back, compare
 * attributes and value, unwrap what was read with the KEK, compare in constant time; only then there is a receipt.
 *
 * The secret holds what ADE's holds (REQ-151): with a KEK the ciphertext in base64url without padding, which is what
 * Azure's wrapKey answers and unwrapKey takes, content type `Wrapped BEK`; without, the passphrase itself, `BEK`.
 * @throws KannukiError KNK-KVT-0005 (with findings, nothing stored), 0006 where the vault lies, or what the vault throws
 */
export async function escrowPassphrase(vault: VaultPort, options: EscrowPassphraseOptions): Promise<EscrowReceipt> {
  const { passphrase, secretName, kekId, kekVault = vault, keyFileName = defaultKeyFileName } = options;
  const algorithm = options.algorithm ?? kekVault.wrapAlgorithms?.[0] ?? wrapAlgorithms[0];
  assertStorable(secretName, passphrase);
  if (kekId === null) {
    const contentType: PassphraseContentType = 'BEK';
    const tags = adeTags(options, { keyFileName, algorithm, kekId: null });
    const secretId = await storeAndReadBack(vault, secretName, passphrase, { contentType, tags });
    return { secretId, kekId: null, algorithm, contentType, keyFileName };
  }
  const kek = await requireUsableKek(kekVault, kekId);
  const wrapped = await vaultCall(kekVault, 'wrapKey', () => kekVault.wrapKey(kek.id, algorithm, passphrase));
  if (!isSameVersion(wrapped.keyId, kek.id, 'keys')) throw readBackDiffers(kekVault, kek.id, 'the version of the key');
  const contentType: PassphraseContentType = 'Wrapped BEK';
  const tags = adeTags(options, { keyFileName, algorithm, kekId: kek.id });
  using stored = encodeWrapped(wrapped.value);
  const secretId = await storeAndReadBack(vault, secretName, stored, { contentType, tags });
  // The value that came back equals the one that went in, so unwrapping it proves what a later boot will get.
  using opened = await vaultCall(kekVault, 'unwrapKey', () => kekVault.unwrapKey(kek.id, algorithm, wrapped.value));
  if (!opened.equals(passphrase)) throw readBackDiffers(kekVault, secretId, 'the unwrapped passphrase');
  return { secretId, kekId: kek.id, algorithm, contentType, keyFileName };
}

export interface EscrowBlobOptions {
  /** UTF-8 of at most 25 KiB, since vaults hold text; stays the caller's. What is secret in it is wrapped already. */
  readonly blob: SecretBytes;
  readonly secretName: string;
  /** Default: that of a header record. */
  readonly contentType?: string;
  readonly tags?: Readonly<Record<string, string>>;
}

/** Content type of a header record's secret. */
export const headerRecordContentType = 'application/vnd.kannuki.header-record+json';

/**
 * Stores a header record (or any text) as it is, reads it back and compares; only then there is a receipt.
 * @throws KannukiError KNK-KVT-0007 for a blob that no vault can hold, 0006 where the vault lies, or what the vault throws
 */
export async function escrowBlob(vault: VaultPort, options: EscrowBlobOptions): Promise<BlobReceipt> {
  const { blob, secretName, contentType = headerRecordContentType, tags = {} } = options;
  assertStorable(secretName, blob);
  const secretId = await storeAndReadBack(vault, secretName, blob, { contentType, tags });
  return { secretId, contentType };
}

function adeTags(
  options: EscrowPassphraseOptions,
  { keyFileName, algorithm, kekId }: { keyFileName: string; algorithm: WrapAlgorithm; kekId: string | null },
): Readonly<Record<string, string>> {
  return {
    ...options.tags,
    DiskEncryptionKeyFileName: keyFileName,
    DiskEncryptionKeyEncryptionAlgorithm: algorithm,
    ...(kekId === null ? {} : { DiskEncryptionKeyEncryptionKeyURL: kekId }),
    ...(options.machineName === undefined ? {} : { MachineName: options.machineName }),
    ...(options.volumeLetter === undefined ? {} : { VolumeLetter: options.volumeLetter }),
  };
}

function encodeWrapped(ciphertext: Uint8Array): SecretBytes {
  const { buffer, byteOffset, byteLength } = ciphertext;
  return SecretBytes.take(Buffer.from(Buffer.from(buffer, byteOffset, byteLength).toString('base64url'), 'latin1'));
}

function assertStorable(secretName: string, value: SecretBytes): void {
  const cannot = (reason: string): KannukiError =>
    new KannukiError('KNK-KVT-0007', { details: { object: `secret ${secretName.slice(0, 127)}`, reason } });
  if (!isObjectName(secretName)) throw cannot('its name is not 1 to 127 letters, digits and hyphens');
  if (value.length === 0) throw cannot('it is empty');
  if (value.length > maximumSecretBytes) throw cannot(`it has ${value.length} bytes`);
  if (!isUtf8(value.bytes)) throw cannot('it is not UTF-8');
}
