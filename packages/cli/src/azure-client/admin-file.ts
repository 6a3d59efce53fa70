import { join } from 'node:path';
import { readBytes } from './private-files.ts';
import { decodeJson } from './secret-json.ts';

/** What `kannuki server init` wrote about a server, as far as a client needs it; its secret is not taken along. */
export interface AdminPlace {
  readonly server: string;
  readonly caFile: string;
  readonly vaultDnsSuffix: string;
}

const limitBytes = 64 * 1024;

/**
 * @returns undefined for a file that is not what `server init` writes
 * @throws KannukiError KNK-AZC-0011 where it cannot be read
 */
export async function readAdminFile(folder: string): Promise<AdminPlace | undefined> {
  using content = await readBytes(adminFile(folder), limitBytes);
  const decoded = decodeJson(content.bytes, 'clientSecret');
  decoded?.secret?.[Symbol.dispose]();
  const { server, caFile, vaultDnsSuffix } = decoded?.rest ?? {};
  if (typeof server !== 'string' || typeof caFile !== 'string' || typeof vaultDnsSuffix !== 'string') return undefined;
  return { server, caFile, vaultDnsSuffix };
}

export function adminFile(folder: string): string {
  return join(folder, 'admin.json');
}
