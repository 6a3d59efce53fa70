import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import {
  AuditLog,
  type AuditVerification,
  ChainKey,
  EmbeddedVaults,
  FileAnchorStore,
  verifyAudit,
} from '@kannuki/keyvault';
import { type DataPaths, dataPaths } from '../data-directory.ts';
import type { OnFailure } from '../http/error-reply.ts';

const purpose = 'kannuki audit 1';

/** A log that was tampered with is told of and used, in a new segment. @throws KannukiError KNK-AUD-0001, 0003 */
export async function openAuditLog(
  paths: Pick<DataPaths, 'audit' | 'auditAnchor'>,
  vaults: EmbeddedVaults,
  onFailure: OnFailure,
): Promise<AuditLog> {
  const log = await AuditLog.open({
    folder: paths.audit,
    chainKey: new ChainKey(vaults.derivedKey(purpose)),
    anchors: new FileAnchorStore(paths.auditAnchor),
  });
  if (log.damage !== undefined) onFailure({ trace: randomUUID(), what: 'open the audit log', error: log.damage });
  return log;
}

/** Where the audit log of a data folder is. */
export function auditFolder(dataDirectory: string): string {
  return dataPaths(resolve(dataDirectory)).audit;
}

/**
 * Verifies the audit log of a data folder that no server is on.
 * @throws KannukiError KNK-KVT-0009 where one is, what opening the vault throws, KNK-AUD-0003
 */
export async function verifyAuditOffline(dataDirectory: string): Promise<AuditVerification> {
  const paths = dataPaths(resolve(dataDirectory));
  await using vaults = await EmbeddedVaults.open({
    databaseFile: paths.vaultDatabase,
    rootKeyFile: paths.vaultRootKey,
    create: false,
    lockWaitSeconds: 1,
  });
  using chainKey = new ChainKey(vaults.derivedKey(purpose));
  return await verifyAudit(paths.audit, chainKey, new FileAnchorStore(paths.auditAnchor));
}
