import { KannukiError, writeFileDurably } from '@kannuki/core';
import { readPrivateFile } from './authority.ts';

/** `DATA/admin.json`: all that a script needs to use this server. */
export interface AdminFile {
  readonly server: string;
  readonly caFile: string;
  readonly tenantId: string;
  readonly subscriptionId: string;
  /** The first administrator, a service principal. */
  readonly objectId: string;
  readonly clientId: string;
  /** Only here in the clear: the database has a hash. */
  readonly clientSecret: string;
  readonly vaultDnsSuffix: string;
}

export async function writeAdminFile(path: string, content: AdminFile): Promise<void> {
  await writeFileDurably(path, `${JSON.stringify(content, null, 2)}\n`, 0o600);
}

/**
 * The administrator's credentials as the file has them. A file that is missing, makes no sense, or that others could read has
 * none that may still be used.
 */
export async function readAdminFile(path: string): Promise<Pick<AdminFile, 'clientId' | 'clientSecret'> | undefined> {
  try {
    const { clientId, clientSecret } = JSON.parse((await readPrivateFile(path)) ?? 'null') as Partial<AdminFile>;
    if (typeof clientId !== 'string' || typeof clientSecret !== 'string') return undefined;
    return { clientId, clientSecret };
  } catch (error) {
    if (error instanceof KannukiError || error instanceof SyntaxError || error instanceof TypeError) return undefined;
    throw error;
  }
}
