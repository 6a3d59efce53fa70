import { KannukiError } from '@kannuki/core';
import { releasePassphrase } from '@kannuki/keyvault';
import type { OwnershipStore } from '../storage/ownership-store.ts';
import type { VaultService } from '../vaults/vault-service.ts';
import type { KeyFile } from './key-volume-image.ts';

/**
 * The passphrases that a VM needs at boot, one a file of its key volume. Where a file name was escrowed several times
 * the newest counts: an attempt that was given up has left an older one behind.
 * @returns files whose contents the caller disposes; none for a VM that has escrowed nothing
 * @throws KannukiError KNK-KVT-… where one cannot be had: the VM would come up without its disks
 */
export async function releaseKeys(vmId: string, vaults: VaultService, ownership: OwnershipStore): Promise<KeyFile[]> {
  const newest = new Map(
    ownership.receipts(vmId).map(({ vault, receipt }) => [receipt.keyFileName, { vault, receipt }]),
  );
  const files: KeyFile[] = [];
  try {
    for (const { vault, receipt } of newest.values()) {
      const port = vaults.port(vault);
      const kek = receipt.kekId === null ? undefined : vaults.vaultOf(receipt.kekId, 'keys');
      if (receipt.kekId !== null && (kek === undefined || !ownership.mayUseKey(vmId, kek))) {
        const details = { vault: port.vaultUri, call: 'unwrapKey', object: receipt.kekId };
        throw new KannukiError('KNK-KVT-0002', { details });
      }
      files.push({ name: receipt.keyFileName, content: await releasePassphrase(port, receipt, kek?.port ?? port) });
    }
  } catch (error) {
    for (const { content } of files) content[Symbol.dispose]();
    throw error;
  }
  return files;
}
