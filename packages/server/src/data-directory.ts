import { lstat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { KannukiError, makeDirectoryDurably } from '@kannuki/core';
import { adminSocketName } from './local-admin/contract.ts';

/** Where things are in the data folder. All of it belongs into its backup. */
export interface DataPaths {
  readonly root: string;
  readonly database: string;
  readonly authority: string;
  readonly vaultDatabase: string;
  readonly vaultRootKey: string;
  /** Folder of the audit log. */
  readonly audit: string;
  readonly auditAnchor: string;
  readonly host: string;
  readonly adminSocket: string;
  readonly adminFile: string;
}

/** Looks at nothing. */
export function dataPaths(root: string): DataPaths {
  const vault = join(root, 'vault');
  return {
    root,
    database: join(root, 'server.db'),
    authority: join(root, 'authority'),
    vaultDatabase: join(vault, 'vault.db'),
    vaultRootKey: join(vault, 'root.key'),
    audit: join(root, 'audit'),
    auditAnchor: join(vault, 'audit.anchor'),
    host: join(root, 'host'),
    adminSocket: join(root, adminSocketName),
    adminFile: join(root, 'admin.json'),
  };
}

/** sockaddr_un has 108 bytes with the closing zero (unix(7)). */
const longestSocketPath = 107;

/**
 * Makes the data folder, or looks whether the one that is there may be used.
 * @throws KannukiError KNK-SRV-0002
 */
export async function openDataDirectory(directory: string): Promise<DataPaths> {
  const root = resolve(directory);
  const refuse = (reason: string): KannukiError =>
    new KannukiError('KNK-SRV-0002', { details: { directory: root, reason } });
  const adminSocket = join(root, adminSocketName);
  if (Buffer.byteLength(adminSocket) > longestSocketPath) throw refuse('its path is too long for a socket');
  try {
    await makeDirectoryDurably(root, 0o700);
    const status = await lstat(root);
    if (!status.isDirectory()) throw refuse('it is not a folder');
    if (status.uid !== process.getuid?.()) throw refuse('it belongs to another user');
    if ((status.mode & 0o077) !== 0) throw refuse('others than its owner may enter it; its mode must be 0700');
    const paths = dataPaths(root);
    await makeDirectoryDurably(dirname(paths.vaultDatabase), 0o700);
    await makeDirectoryDurably(paths.host, 0o700);
    return paths;
  } catch (error) {
    if (error instanceof KannukiError) throw error;
    throw refuse((error as NodeJS.ErrnoException).code ?? 'unknown');
  }
}
