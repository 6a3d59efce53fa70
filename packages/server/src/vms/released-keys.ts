import { randomUUID } from 'node:crypto';
import { KannukiError } from '@kannuki/core';
import { AuditedVault, type AuditPort, releasePassphrase, type VaultPort, vaultCallRecord } from '@kannuki/keyvault';
import type { OwnershipStore } from '../storage/ownership-store.ts';
import type { VaultService } from '../vaults/vault-service.ts';
import type { KeyFile } from './key-volume-image.ts';

export interface KeyReleaseOptions {
  readonly vaults: VaultService;
  readonly ownership: OwnershipStore;
  readonly audit: AuditPort;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * The passphrases that a VM needs at boot, one a file of its key volume. Where a file name was escrowed several times
 * the newest counts: an attempt that was given up has left an older one behind. Each release is in the audit log
 * before its passphrase leaves, under the name `server:key-volume:VM`.
 * @returns files whose contents the caller disposes; none for a VM that has escrowed nothing
 * @throws KannukiError KNK-KVT-… KNK-AUD-… where one cannot be had: the VM would come up without its disks
 */
export async function releaseKeys(
  vmId: string,
  { vaults, ownership, audit, now }: KeyReleaseOptions,
): Promise<KeyFile[]> {
  const caller = { objectId: `server:key-volume:${vmId}`, applicationId: null, address: 'local' };
  const requestId = randomUUID();
  const audited = (vault: VaultPort): VaultPort => new AuditedVault({ vault, audit, caller, requestId, now });
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
        const error = new KannukiError('KNK-KVT-0002', { details });
        const facts = { time: now(), requestId, caller, operation: 'KeyUnwrap', vault, id: receipt.kekId, error };
        await audit.append(vaultCallRecord(facts));
        throw error;
      }
      const content = await releasePassphrase(audited(port), receipt, audited(kek?.port ?? port));
      files.push({ name: receipt.keyFileName, content });
    }
  } catch (error) {
    for (const { content } of files) content[Symbol.dispose]();
    throw error;
  }
  return files;
}
