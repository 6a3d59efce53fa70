import { AuditLog, ChainKey, type EmbeddedVaults, FileAnchorStore } from '@kannuki/keyvault';
import type { DataPaths } from '../data-directory.ts';

/** Where the audit log of a data folder is, and what it is checked with. */
export function auditParts(
  paths: Pick<DataPaths, 'audit' | 'auditAnchor'>,
  vaults: EmbeddedVaults,
): { readonly folder: string; readonly chainKey: ChainKey; readonly anchors: FileAnchorStore } {
  return {
    folder: paths.audit,
    chainKey: new ChainKey(vaults.derivedKey('kannuki audit 1')),
    anchors: new FileAnchorStore(paths.auditAnchor),
  };
}

/** @throws KannukiError KNK-AUD-0001, 0003 */
export function openAuditLog(
  paths: Pick<DataPaths, 'audit' | 'auditAnchor'>,
  vaults: EmbeddedVaults,
): Promise<AuditLog> {
  return AuditLog.open(auditParts(paths, vaults));
}
