import { join } from 'node:path';
import { KannukiError } from '@kannuki/core';
import type { EmbeddedVault } from './embedded/embedded-vault.ts';
import { EmbeddedVaults } from './embedded/embedded-vaults.ts';
import type { VaultPort } from './port.ts';
import { RemoteVault, type ServerConnection } from './remote/client.ts';

export interface OpenVaultOptions {
  /**
   * Whether a directory lies on a block device of this very machine (`findmnt` names a source below /dev/). Facts of
   * the machine are the caller's to know; a vault beside the disk it locks is refused.
   */
  readonly isOnLocalDisk: (directory: string) => boolean | Promise<boolean>;
  /** The server that stands before `https://` vaults, and this machine's certificate. */
  readonly connection?: ServerConnection;
  /** Makes an embedded vault where the directory has none. Default false. */
  readonly create?: boolean;
}

/** A vault in use; give it back with `await using` or `Symbol.asyncDispose`. */
export type OpenVault = VaultPort & AsyncDisposable;

const databaseName = 'vault.db';
const rootKeyName = 'root.key';
const defaultVaultName = 'kannuki';

/**
 * Opens a vault by its address:
 * `embedded:///DIRECTORY[?vault=NAME]` is an embedded vault in a directory (the lab; network file systems), made of
 * `vault.db` and `root.key`; `https://NAME.SUFFIX/` is a vault behind the Kannuki server that `connection` names.
 * @throws KannukiError KNK-KVT-0015 for an address of neither kind, 0016 (with its finding) for a local directory,
 * and what opening an embedded vault throws
 */
export async function openVault(url: string, options: OpenVaultOptions): Promise<OpenVault> {
  const address = URL.parse(url);
  if (address?.username !== '' || address.password !== '') throw unusable(url, 'it is not a plain URL');
  if (address.protocol === 'embedded:') return openEmbedded(url, address, options);
  if (address.protocol === 'https:') return openRemote(url, address, options);
  throw unusable(url, `there is no driver for ${address.protocol}//`);
}

/** Id of a KEK from what a person gives: a full id, or the name of a key in the vault (REQ-130). */
export function keyIdFor(vaultUri: string, nameOrId: string): string {
  return nameOrId.includes('://') ? nameOrId : new URL(`keys/${encodeURIComponent(nameOrId)}`, vaultUri).href;
}

async function openEmbedded(url: string, address: URL, options: OpenVaultOptions): Promise<OpenVault> {
  const directory = decoded(address.pathname);
  if (address.host !== '' || directory === '' || directory === '/' || directory.includes('\0')) {
    throw unusable(url, 'it names no directory');
  }
  if (await options.isOnLocalDisk(directory)) throw onLocalDisk(directory);
  const create = options.create ?? false;
  const vaults = await EmbeddedVaults.open({
    databaseFile: join(directory, databaseName),
    rootKeyFile: join(directory, rootKeyName),
    create,
  });
  try {
    const name = address.searchParams.get('vault') ?? defaultVaultName;
    return withClose(create ? await vaults.createVault(name) : vaults.vault(name), vaults);
  } catch (error) {
    await vaults.close();
    throw error;
  }
}

/** The path as the file system has it; empty where it is not UTF-8 in percent signs. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return '';
  }
}

function openRemote(url: string, address: URL, options: OpenVaultOptions): OpenVault {
  if (options.connection === undefined) throw unusable(url, 'this machine has joined no Kannuki server');
  const [vaultName = ''] = address.hostname.split('.');
  const vault = new RemoteVault({ connection: options.connection, vaultName, vaultUri: `https://${address.host}/` });
  return Object.assign(vault, { [Symbol.asyncDispose]: async () => undefined });
}

function withClose(vault: EmbeddedVault, vaults: EmbeddedVaults): OpenVault {
  return Object.assign(vault, { [Symbol.asyncDispose]: () => vaults.close() });
}

function onLocalDisk(directory: string): KannukiError {
  const finding = {
    rule: 'REQ-061',
    severity: 'refuse',
    subject: directory,
    message: {
      en: 'the vault lies on a block device of this machine',
      ja: 'キー コンテナーがこのマシンのブロック デバイス上にあります',
    },
    remedy: {
      en: 'use a vault on another machine, or a directory on a network file system',
      ja: '別のマシン上のキー コンテナー、またはネットワーク ファイル システム上のディレクトリを使用してください',
    },
  } as const;
  return new KannukiError('KNK-KVT-0016', { details: { directory }, findings: [finding] });
}

function unusable(url: string, reason: string): KannukiError {
  return new KannukiError('KNK-KVT-0015', { details: { url: url.slice(0, 200).replace(/\/\/[^/]*@/, '//'), reason } });
}
