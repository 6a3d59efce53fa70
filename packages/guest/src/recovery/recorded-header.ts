import { KannukiError, type SecretBytes } from '@kannuki/core';
import { decodeHeaderRecord, type HeaderSource } from '@kannuki/formats';
import { type BlobReceipt, isWrapAlgorithm, releaseBlob, type VaultPort } from '@kannuki/keyvault';

/** A header record from the vault, with its volume key unwrapped. */
export interface RecordedHeader extends Disposable {
  readonly source: HeaderSource;
  readonly volumeKey: SecretBytes;
}

/**
 * Fetches a header record and unwraps its key.
 * @throws KannukiError KNK-FMT-0106 when it is no record, or what the vault throws
 */
export async function readRecordedHeader(vault: VaultPort, receipt: BlobReceipt): Promise<RecordedHeader> {
  using blob = await releaseBlob(vault, receipt);
  const { volumeKey: recorded, ...source } = decodeHeaderRecord(blob);
  const volumeKey =
    recorded.wrapping === null ? recorded.value : await unwrap(vault, recorded.wrapping, recorded.value);
  return { source, volumeKey, [Symbol.dispose]: () => volumeKey[Symbol.dispose]() };
}

async function unwrap(
  vault: VaultPort,
  { algorithm, keyId }: { readonly algorithm: string; readonly keyId: string },
  wrapped: Uint8Array,
): Promise<SecretBytes> {
  if (!isWrapAlgorithm(algorithm)) {
    throw new KannukiError('KNK-FMT-0106', { details: { detail: `wrapped with ${algorithm.slice(0, 40)}` } });
  }
  return vault.unwrapKey(keyId, algorithm, wrapped);
}
