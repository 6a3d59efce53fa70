import { writeFileDurably } from '@kannuki/core';

/** `DATA/admin.json`: all that a script needs to use this server. */
export interface AdminFile {
  readonly server: string;
  readonly caFile: string;
  readonly tenantId: string;
  readonly subscriptionId: string;
  /** The first administrator; null until the server speaks OAuth2. */
  readonly objectId: string | null;
  readonly clientId: string | null;
  readonly clientSecret: string | null;
  readonly vaultDnsSuffix: string;
}

export async function writeAdminFile(path: string, content: AdminFile): Promise<void> {
  await writeFileDurably(path, `${JSON.stringify(content, null, 2)}\n`, 0o600);
}
