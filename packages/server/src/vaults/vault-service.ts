import { hasCode, KannukiError } from '@kannuki/core';
import {
  defaultDnsSuffix,
  type EmbeddedVault,
  type KeyInfo,
  keyIdFor,
  parseObjectId,
  type RsaKeySize,
  rsaKeySizes,
  type SealableVaults,
  type VaultPort,
} from '@kannuki/keyvault';
import type { VaultRecord } from './vault-record.ts';
import type { VaultRegistry } from './vault-registry.ts';

export interface NewKey {
  readonly vaultName: string;
  readonly name: string;
  readonly kind: 'RSA' | 'RSA-HSM';
  /** Default 2048. */
  readonly bits?: number;
}

/** An object of a vault of ours, as an id names it. */
export interface VaultObject {
  readonly vault: string;
  readonly name: string;
  /** The one form that the port knows: other names and ports of this server's vaults lead to it. */
  readonly id: string;
  readonly port: VaultPort;
}

/** Under which a vault's ids are known besides the embedded one: what clients were told in answers. */
const azureSuffix = 'vault.azure.net';

/** The vaults of this server as those see them who use their keys and secrets: owners by name, VMs through `VmVault`. */
export class VaultService {
  readonly #vaults: SealableVaults;
  readonly #registry: VaultRegistry;
  readonly #suffixes: ReadonlySet<string>;

  /** @param dnsSuffix what follows a vault's name in its address, without port */
  constructor(vaults: SealableVaults, registry: VaultRegistry, dnsSuffix: string) {
    this.#vaults = vaults;
    this.#registry = registry;
    this.#suffixes = new Set([defaultDnsSuffix, dnsSuffix.toLowerCase(), azureSuffix]);
  }

  list(): readonly VaultRecord[] {
    return this.#registry.list();
  }

  /** @throws KannukiError KNK-SRV-0010 */
  show(name: string): VaultRecord {
    return this.#registry.show(name);
  }

  /** The form in which goals and tags of VMs have it: without port, so that it stays what it is when the server moves. */
  vaultUri(name: string): string {
    return this.#vault(name).vaultUri;
  }

  /**
   * Makes a key, or a new version of one.
   * @throws KannukiError KNK-SRV-0010, KNK-KVT-0008, 0026 for RSA-HSM in a vault that is not premium, 0042
   */
  async createKey({ vaultName, name, kind, bits = 2048 }: NewKey): Promise<KeyInfo> {
    const hardware = kind === 'RSA-HSM';
    if (hardware && this.show(vaultName).sku !== 'premium') {
      const details = { what: 'a key of the kind RSA-HSM', reason: 'the vault is not premium' };
      throw new KannukiError('KNK-KVT-0026', { details });
    }
    const vault = this.#vault(vaultName);
    const size = rsaKeySizes.find((known) => known === bits);
    return vault.createKey(name, { bits: size ?? (bits as RsaKeySize), hardware });
  }

  listKeys(vaultName: string): readonly KeyInfo[] {
    return this.#vault(vaultName).listKeys();
  }

  /** @param key a name, or a full id with or without version */
  async showKey(vaultName: string, key: string): Promise<KeyInfo> {
    const vault = this.#vault(vaultName);
    const id = keyIdFor(vault.vaultUri, key);
    const found = this.vaultOf(id, 'keys');
    return vault.keyInfo(found?.vault === vault.name ? found.id : id);
  }

  /** Whether a name is in use in a vault, by a live secret or by a deleted one. @throws KannukiError KNK-SRV-0010 */
  async holdsSecret(vaultName: string, name: string): Promise<boolean> {
    const { secrets } = this.#vault(vaultName);
    for (const look of [() => secrets.versions(name, { limit: 1, after: null }), () => secrets.getDeleted(name)]) {
      try {
        await look();
        return true;
      } catch (error) {
        if (!hasCode(error, 'KNK-KVT-0003')) throw error;
      }
    }
    return false;
  }

  /** @returns undefined where there is no live secret of that name. @throws KannukiError KNK-SRV-0010 */
  newestSecretId(vaultName: string, name: string): string | undefined {
    return this.#vault(vaultName).secretVersions(name).at(-1)?.id;
  }

  /** @throws KannukiError KNK-SRV-0010 */
  port(name: string): VaultPort {
    return this.#vault(name);
  }

  /** The object that an id names. @returns undefined for an id of no vault of ours */
  vaultOf(id: string, collection: 'keys' | 'secrets'): VaultObject | undefined {
    const parsed = parseObjectId(id, collection);
    if (parsed === undefined) return undefined;
    const [, label = '', suffix = ''] = /^([^.]+)\.([^:]+)(?::\d+)?$/.exec(parsed.host) ?? [];
    const record = this.#suffixes.has(suffix) ? this.#registry.find(label) : undefined;
    if (record === undefined) return undefined;
    const port = this.#vault(record.name);
    const version = parsed.version === null ? '' : `/${parsed.version}`;
    const canonical = new URL(`${collection}/${parsed.name}${version}`, port.vaultUri).href;
    return { vault: record.name, name: parsed.name, id: canonical, port };
  }

  #vault(name: string): EmbeddedVault {
    return this.#vaults.vaults().vault(this.show(name).name);
  }
}
