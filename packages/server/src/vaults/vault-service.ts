import { KannukiError } from '@kannuki/core';
import {
  type EmbeddedVault,
  type KeyInfo,
  keyIdFor,
  parseObjectId,
  type RsaKeySize,
  rsaKeySizes,
  type SealableVaults,
  type VaultPort,
} from '@kannuki/keyvault';
import type { VaultRegistryStore } from '../storage/vault-registry-store.ts';
import type { VaultRecord } from './vault-record.ts';

export interface NewVault {
  readonly name: string;
  readonly resourceGroup: string;
  readonly location: string;
  readonly sku: VaultRecord['sku'];
  readonly enabledForDiskEncryption: boolean;
}

export interface NewKey {
  readonly vaultName: string;
  readonly name: string;
  readonly kind: 'RSA' | 'RSA-HSM';
  /** Default 2048. */
  readonly bits?: number;
}

/** The vaults of this server: made by their owners, used by VMs through `VmVault`. */
export class VaultService {
  readonly #vaults: SealableVaults;
  readonly #registry: VaultRegistryStore;
  readonly #now: () => number;

  constructor(vaults: SealableVaults, registry: VaultRegistryStore, now: () => number) {
    this.#vaults = vaults;
    this.#registry = registry;
    this.#now = now;
  }

  /** @throws KannukiError KNK-SRV-0004 where the name is taken, 0028 for a premium vault, KNK-KVT-0008 for a bad name */
  async create(vault: NewVault): Promise<VaultRecord> {
    if (vault.sku === 'premium') throw notYet('a premium vault (keys in hardware)', '--sku standard');
    if (this.#registry.find(vault.name) !== undefined) throw exists('key vault', vault.name);
    // The place for its objects comes first: a crash in between leaves a place that the next try takes over.
    await this.#vaults.vaults().createVault(vault.name);
    const record: VaultRecord = { ...vault, createdAt: this.#now() };
    if (!this.#registry.add(record)) throw exists('key vault', vault.name);
    return record;
  }

  list(): readonly VaultRecord[] {
    return this.#registry.list();
  }

  /** @throws KannukiError KNK-SRV-0010 */
  show(name: string): VaultRecord {
    const found = this.#registry.find(name);
    if (found === undefined) throw new KannukiError('KNK-SRV-0010', { details: { vault: name.slice(0, 100) } });
    return found;
  }

  vaultUri(name: string): string {
    return this.#vault(name).vaultUri;
  }

  /** Makes a key, or a new version of one. @throws KannukiError KNK-SRV-0010, 0028, KNK-KVT-0008 */
  async createKey({ vaultName, name, kind, bits = 2048 }: NewKey): Promise<KeyInfo> {
    if (kind === 'RSA-HSM') throw notYet('a key in hardware (RSA-HSM)', '--kty RSA');
    const vault = this.#vault(vaultName);
    const size = rsaKeySizes.find((known) => known === bits);
    return vault.createKey(name, { bits: size ?? (bits as RsaKeySize) });
  }

  listKeys(vaultName: string): readonly KeyInfo[] {
    return this.#vault(vaultName).listKeys();
  }

  /** @param key a name, or a full id with or without version */
  async showKey(vaultName: string, key: string): Promise<KeyInfo> {
    const vault = this.#vault(vaultName);
    return vault.keyInfo(keyIdFor(vault.vaultUri, key));
  }

  /** @throws KannukiError KNK-SRV-0010 */
  port(name: string): VaultPort {
    return this.#vault(name);
  }

  /** The vault that an object's id names. @returns undefined for an id of no vault of ours */
  vaultOf(id: string, collection: 'keys' | 'secrets'): { vault: string; name: string; port: VaultPort } | undefined {
    const parsed = parseObjectId(id, collection);
    const record = parsed === undefined ? undefined : this.#registry.find(parsed.host.split('.', 1)[0] ?? '');
    if (parsed === undefined || record === undefined) return undefined;
    const port = this.#vault(record.name);
    if (new URL(port.vaultUri).host !== parsed.host) return undefined;
    return { vault: record.name, name: parsed.name, port };
  }

  #vault(name: string): EmbeddedVault {
    return this.#vaults.vaults().vault(this.show(name).name);
  }
}

function exists(kind: string, name: string): KannukiError {
  return new KannukiError('KNK-SRV-0004', { details: { kind, name: name.slice(0, 100) } });
}

function notYet(what: string, instead: string): KannukiError {
  return new KannukiError('KNK-SRV-0028', { details: { what, instead } });
}
