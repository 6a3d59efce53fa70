import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { KannukiError } from '@kannuki/core';
import { type AdminPlace, adminFile, readAdminFile } from '../../azure-client/admin-file.ts';
import { exchange, type Way } from '../../azure-client/exchange.ts';
import type { Login } from '../../azure-client/login-file.ts';
import { dataDirectory } from '../server/admin-connection.ts';

type Place = Pick<Login, 'server' | 'ca' | 'vaultDnsSuffix'>;

/**
 * The server to log in to: named by `--server` and `--ca`, or by the admin.json of a server on this machine. The names of
 * its vaults are what its metadata say (as Azure's clients learn them), else what admin.json says.
 */
export async function findServer(
  options: { readonly server: string | undefined; readonly ca: string | undefined; readonly data: string | undefined },
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Place> {
  if (options.server !== undefined && options.ca === undefined) {
    // The authority of this machine's server says nothing about another one.
    throw new KannukiError('KNK-CLI-0003', { details: { word: '--ca <FILE>', command: 'kannuki login' } });
  }
  const admin = options.server === undefined ? await adminPlace(dataDirectory(options.data, environment)) : undefined;
  const server = originOf(options.server ?? admin?.server ?? '');
  const ca = await readText(resolve(options.ca ?? admin?.caFile ?? ''));
  const way: Way = { kind: 'https', server, ca };
  const suffix = (await suffixFromMetadata(way)) ?? admin?.vaultDnsSuffix;
  const vaultDnsSuffix = typeof suffix === 'string' ? suffix.replace(/^\./, '') : 'vault.localhost';
  if (!/^[a-z0-9.-]{1,200}(?::\d{1,5})?$/i.test(vaultDnsSuffix)) {
    throw new KannukiError('KNK-AZC-0007', {
      details: { what: server, reason: 'the suffix of its vaults is no name' },
    });
  }
  return { server, ca, vaultDnsSuffix };
}

function originOf(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol === 'https:' && parsed.pathname === '/' && parsed.search === '') return parsed.origin;
  const details = {
    word: '--server',
    value: url.slice(0, 200),
    expected: 'https://HOST[:PORT]',
    command: 'kannuki login',
  };
  throw new KannukiError('KNK-CLI-0004', { details });
}

async function adminPlace(folder: string): Promise<AdminPlace> {
  const found = await readAdminFile(folder);
  if (found !== undefined) return found;
  const details = { file: adminFile(folder), reason: 'it is not what kannuki server init writes' };
  throw new KannukiError('KNK-AZC-0011', { details });
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'it cannot be read';
    throw new KannukiError('KNK-AZC-0011', { details: { file, reason }, cause: error });
  }
}

/** `suffixes.keyVaultDns`; undefined where the server has no such page. */
async function suffixFromMetadata(way: Way): Promise<string | undefined> {
  const path = '/metadata/endpoints?api-version=2019-05-01';
  const { status, body } = await exchange(way, { method: 'GET', path, host: undefined, headers: {}, body: undefined });
  using received = body;
  if (status !== 200) return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.from(received.bytes).toString('utf8'));
    const cloud: unknown = Array.isArray(value) ? value[0] : value;
    const { suffixes } = (cloud ?? {}) as { suffixes?: { keyVaultDns?: unknown } };
    return typeof suffixes?.keyVaultDns === 'string' ? suffixes.keyVaultDns : undefined;
  } catch {
    return undefined;
  }
}
