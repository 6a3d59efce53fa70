import { KannukiError, type SecretBytes } from '@kannuki/core';
import { isSameVersion } from '../object-id.ts';
import type { StoredSecret, VaultPort } from '../port.ts';
import type { BlobReceipt, EscrowReceipt } from './receipt.ts';
import { readBackDiffers } from './store.ts';
import { vaultCall } from './vault-call.ts';

/** Wrapped values are base64url; standard base64 and padding are taken too, since ADE's tools write both. */
const wrappedShape = /^[A-Za-z0-9_+/-]{1,2048}={0,2}$/;

/**
 * Fetches an escrowed passphrase and unwraps it. The caller disposes it.
 * @param kekVault where the KEK lives when it is not the vault of the secret
 * @throws KannukiError KNK-KVT-0003, 0004, 0006, 0014 or what the vault throws
 */
export async function releasePassphrase(
  vault: VaultPort,
  receipt: EscrowReceipt,
  kekVault: VaultPort = vault,
): Promise<SecretBytes> {
  const stored = await fetchSecret(vault, receipt);
  const { kekId, algorithm } = receipt;
  if (kekId === null) return stored.value;
  using wrapped = stored.value;
  const text = Buffer.from(wrapped.bytes).toString('latin1');
  if (!wrappedShape.test(text)) {
    const reason = 'the wrapped passphrase is not base64';
    throw new KannukiError('KNK-KVT-0014', { details: { vault: vault.vaultUri, reason } });
  }
  const ciphertext = Buffer.from(text, 'base64');
  return await vaultCall(kekVault, 'unwrapKey', () => kekVault.unwrapKey(kekId, algorithm, ciphertext));
}

/** Fetches an escrowed header record as it was stored. The caller disposes it. */
export async function releaseBlob(vault: VaultPort, receipt: BlobReceipt): Promise<SecretBytes> {
  return (await fetchSecret(vault, receipt)).value;
}

async function fetchSecret(vault: VaultPort, receipt: BlobReceipt): Promise<StoredSecret> {
  const stored = await vaultCall(vault, 'getSecret', () => vault.getSecret(receipt.secretId));
  const refuse = (error: KannukiError): never => {
    stored.value[Symbol.dispose]();
    throw error;
  };
  if (!stored.enabled) refuse(new KannukiError('KNK-KVT-0004', { details: { object: receipt.secretId } }));
  if (!isSameVersion(stored.id, receipt.secretId, 'secrets')) {
    refuse(readBackDiffers(vault, receipt.secretId, 'the version'));
  }
  if (stored.contentType !== receipt.contentType) {
    refuse(readBackDiffers(vault, receipt.secretId, 'the content type'));
  }
  return stored;
}
