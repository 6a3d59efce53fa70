import { join } from 'node:path';
import { KannukiError } from '@kannuki/core';
import { azureScheme, isAzureVaultHost } from './azure/address.ts';
import type { EmbeddedVault } from './embedded/embedded-vault.ts';
import { EmbeddedVaults } from './embedded/embedded-vaults.ts';
import { onLocalDisk } from './local-disk.ts';
import { openBaoSchemes, parseOpenBaoAddress } from './openbao/address.ts';
import { OpenBaoVault } from './openbao/openbao-vault.ts';
import { pkcs11Scheme } from './pkcs11-vault/address.ts';
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
  /** Drivers that not every program brings along: their packages are too large for it, or may be missing. */
  readonly drivers?: VaultDrivers;
  /** Makes an embedded vault where the directory has none. Default false. */
  readonly create?: boolean;
}

/** Each opens a vault by its whole address and throws what openVault throws. */
export interface VaultDrivers {
  /** `openAzureVault` of azure/open-azure-vault.ts; imported only by programs that carry Microsoft's packages. */
  readonly azure?: (address: string) => Promise<OpenVault>;
  /** `openPkcs11Vault` of pkcs11-vault/open-pkcs11-vault.ts; imported only by programs that carry pkcs11js. */
  readonly pkcs11?: (
    address: string,
    options: Pick<OpenVaultOptions, 'isOnLocalDisk' | 'create'>,
  ) => Promise<OpenVault>;
}

/** A vault in use; give it back with `await using` or `Symbol.asyncDispose`. */
export type OpenVault = VaultPort & AsyncDisposable;

const databaseName = 'vault.db';
const rootKeyName = 'root.key';
const defaultVaultName = 'kannuki';

/**
 * Opens a vault by its address; docs/vault-drivers.md has all of them.
 * - `embedded:///DIRECTORY[?vault=NAME]`: an embedded vault in a directory (the lab; network file systems), made of
 *   `vault.db` and `root.key`
 * - `https://NAME.SUFFIX/`: a vault behind the Kannuki server that `connection` names; without a connection, a vault in
 *   Azure where the suffix is one of Azure's
 * - `azure+https://NAME.SUFFIX/?…`: a vault in Azure, or one that speaks its protocol
 * - `openbao+https://HOST:PORT/?…`, `vault+https://HOST:PORT/?…`: OpenBao or HashiCorp Vault
 * - `pkcs11:token=LABEL?…`: keys in a PKCS #11 token, secrets in a directory that only the token opens
 * @throws KannukiError KNK-KVT-0015 for an address of no such kind, 0016 (with its finding) for a local directory, 0051
 * and 0052 for what a driver lacks, and what opening an embedded vault throws
 */
export async function openVault(url: string, options: OpenVaultOptions): Promise<OpenVault> {
  const address = URL.parse(url);
  if (address?.username !== '' || address.password !== '') throw unusable(url, 'it is not a plain URL');
  const { protocol, hostname } = address;
  if (protocol === 'embedded:') return openEmbedded(url, address, options);
  if (openBaoSchemes.includes(protocol)) return openOpenBao(url);
  const isAzure = options.connection === undefined && isAzureVaultHost(hostname);
  if (protocol === azureScheme || (protocol === 'https:' && isAzure)) return openAzure(url, options);
  if (protocol === pkcs11Scheme) return openPkcs11(url, options);
  if (protocol === 'https:') return openRemote(url, address, options);
  throw unusable(url, `there is no driver for ${protocol}//`);
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

function openOpenBao(url: string): OpenVault {
  const vault = new OpenBaoVault(parseOpenBaoAddress(url));
  return Object.assign(vault, { [Symbol.asyncDispose]: async () => vault[Symbol.dispose]() });
}

async function openAzure(url: string, { drivers = {} }: OpenVaultOptions): Promise<OpenVault> {
  if (drivers.azure === undefined) throw unusable(url, 'this program has no driver for Azure');
  return await drivers.azure(url);
}

async function openPkcs11(url: string, { drivers = {}, ...options }: OpenVaultOptions): Promise<OpenVault> {
  if (drivers.pkcs11 === undefined) throw unusable(url, 'this program has no driver for PKCS #11 tokens');
  return await drivers.pkcs11(url, options);
}

function withClose(vault: EmbeddedVault, vaults: EmbeddedVaults): OpenVault {
  return Object.assign(vault, { [Symbol.asyncDispose]: () => vaults.close() });
}

function unusable(url: string, reason: string): KannukiError {
  return new KannukiError('KNK-KVT-0015', { details: { url: url.slice(0, 200).replace(/\/\/[^/]*@/, '//'), reason } });
}
