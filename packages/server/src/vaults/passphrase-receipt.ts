import { KannukiError } from '@kannuki/core';
import { type EscrowReceipt, isWrapAlgorithm, parseObjectId, type SecretAttributes } from '@kannuki/keyvault';

/** A name that is safe as a file on a FAT volume and in crypttab. */
const keyFileName = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/;

/**
 * How a stored passphrase is had back, read from what its VM stored beside it (ADE's tags, REQ-151).
 * @returns null for a secret that is no passphrase
 * @throws KannukiError KNK-KVT-0008 for a passphrase that could not be released at the next boot
 */
export function receiptOf(secretId: string, { contentType, tags }: SecretAttributes): EscrowReceipt | null {
  if (contentType !== 'BEK' && contentType !== 'Wrapped BEK') return null;
  const fileName = tags.DiskEncryptionKeyFileName ?? '';
  const algorithm = tags.DiskEncryptionKeyEncryptionAlgorithm ?? '';
  const kekId = tags.DiskEncryptionKeyEncryptionKeyURL ?? null;
  const wrong = (reason: string): KannukiError =>
    new KannukiError('KNK-KVT-0008', { details: { what: 'a tag of the passphrase', reason } });
  if (!keyFileName.test(fileName)) throw wrong('DiskEncryptionKeyFileName is no file name');
  if (!isWrapAlgorithm(algorithm)) throw wrong('DiskEncryptionKeyEncryptionAlgorithm is no algorithm of ours');
  if ((kekId !== null) !== (contentType === 'Wrapped BEK')) throw wrong('the content type does not fit the key');
  if (kekId !== null && parseObjectId(kekId, 'keys')?.version == null) {
    throw wrong('DiskEncryptionKeyEncryptionKeyURL is no key id with version');
  }
  return { secretId, kekId, algorithm, contentType, keyFileName: fileName };
}
