import { KannukiError, type SecretBytes } from '@kannuki/core';
import {
  isObjectName,
  type KeyInfo,
  type SecretAttributes,
  type StoredSecret,
  type VaultPort,
  type WrapAlgorithm,
  type WrappedKey,
} from '@kannuki/keyvault';
import type { OwnershipStore } from '../storage/ownership-store.ts';
import { receiptOf } from './passphrase-receipt.ts';
import type { VaultObject, VaultService } from './vault-service.ts';

export interface VmVaultOptions {
  readonly vmId: string;
  readonly vaultName: string;
  readonly vaults: VaultService;
  readonly ownership: OwnershipStore;
}

/** A VM has two names for each of its volumes; more than this is not a VM that encrypts its volumes. */
const maximumNames = 256;

/**
 * A vault as one VM sees it: the versions of secrets that it stored itself, and the keys that its owner has named for it. Everything else is refused
 * in the same words whether it exists or not.
 */
export class VmVault implements VaultPort {
  readonly vaultUri: string;
  readonly #vmId: string;
  readonly #vaultName: string;
  readonly #vaults: VaultService;
  readonly #ownership: OwnershipStore;

  /** @throws KannukiError KNK-KVT-0002 for a vault that no goal of this VM has named, be it there or not */
  constructor({ vmId, vaultName, vaults, ownership }: VmVaultOptions) {
    if (!ownership.mayUseVault(vmId, vaultName)) {
      const details = { vault: vaultName.slice(0, 24), call: 'calls of this VM', object: 'any object' };
      throw new KannukiError('KNK-KVT-0002', { details });
    }
    this.vaultUri = vaults.vaultUri(vaultName);
    this.#vmId = vmId;
    this.#vaultName = vaults.show(vaultName).name;
    this.#vaults = vaults;
    this.#ownership = ownership;
  }

  async keyInfo(keyId: string): Promise<KeyInfo> {
    const { port, id } = this.#key(keyId, 'keyInfo');
    return port.keyInfo(id);
  }

  async wrapKey(keyId: string, algorithm: WrapAlgorithm, value: SecretBytes): Promise<WrappedKey> {
    const { port, id } = this.#key(keyId, 'wrapKey');
    return port.wrapKey(id, algorithm, value);
  }

  async unwrapKey(keyId: string, algorithm: WrapAlgorithm, wrapped: Uint8Array): Promise<SecretBytes> {
    const { port, id } = this.#key(keyId, 'unwrapKey');
    return port.unwrapKey(id, algorithm, wrapped);
  }

  async setSecret(name: string, value: SecretBytes, attributes: SecretAttributes): Promise<{ readonly id: string }> {
    const port = this.#vaults.port(this.#vaultName);
    // Before anything is stored: what could not be released at the next boot must not count as escrowed.
    const kekId = receiptOf('', attributes)?.kekId ?? null;
    if (kekId !== null) this.#key(kekId, 'setSecret');
    await this.#claim(name);
    const { id } = await port.setSecret(name, value, attributes);
    const receipt = receiptOf(id, attributes);
    this.#ownership.recordVersion(this.#vmId, { vault: this.#vaultName, name, secretId: id, receipt });
    return { id };
  }

  async getSecret(secretId: string): Promise<StoredSecret> {
    const found = this.#vaults.vaultOf(secretId, 'secrets');
    if (found === undefined || this.#ownership.secretOwner(found) !== this.#vmId) {
      throw this.#forbidden('getSecret', secretId);
    }
    const stored = await found.port.getSecret(found.id);
    // Somebody may have put a secret of his own under a name that a VM has used before him.
    if (this.#ownership.hasStored(this.#vmId, stored.id)) return stored;
    stored.value[Symbol.dispose]();
    throw this.#forbidden('getSecret', secretId);
  }

  /** The volume is plain again: what was escrowed for it under this name is not released at boot any more, nor to anybody. */
  async disableSecret(name: string): Promise<void> {
    const object = { vault: this.#vaultName, name };
    const newest = this.#vaults.newestSecretId(this.#vaultName, name);
    const isOwn = this.#ownership.secretOwner(object) === this.#vmId;
    // As with setSecret: what a person has put on top of it is not the VM's to disable.
    if (!isOwn || newest === undefined || !this.#ownership.hasStored(this.#vmId, newest)) {
      throw this.#forbidden('disableSecret', name);
    }
    // First, because a boot whose key volume asks for a disabled secret would get no key volume at all.
    this.#ownership.retireSecret(this.#vmId, object);
    await this.#vaults.port(this.#vaultName).disableSecret(name);
  }

  /** A key may be in another vault than the secret (REQ-131, REQ-135). */
  #key(keyId: string, call: string): VaultObject {
    const found = this.#vaults.vaultOf(keyId, 'keys');
    if (found === undefined || !this.#ownership.mayUseKey(this.#vmId, found)) throw this.#forbidden(call, keyId);
    return found;
  }

  /** A name belongs to the VM that was first to use it, unless somebody who is no VM has it already, be it in a deleted secret. */
  async #claim(name: string): Promise<void> {
    const object = { vault: this.#vaultName, name };
    if (!isObjectName(name)) throw this.#forbidden('setSecret', name);
    const owner = this.#ownership.secretOwner(object);
    if (owner === this.#vmId) {
      // What a person has put on top of it since is not to be replaced by the VM, for whoever reads the newest.
      const newest = this.#vaults.newestSecretId(this.#vaultName, name);
      if (newest === undefined || this.#ownership.hasStored(this.#vmId, newest)) return;
      throw this.#forbidden('setSecret', name);
    }
    const isFree =
      owner === undefined &&
      this.#ownership.countSecrets(this.#vmId) < maximumNames &&
      !(await this.#vaults.holdsSecret(this.#vaultName, name)) &&
      this.#ownership.claimSecret(this.#vmId, object);
    if (!isFree) throw this.#forbidden('setSecret', name);
  }

  #forbidden(call: string, object: string): KannukiError {
    return new KannukiError('KNK-KVT-0002', {
      details: { vault: this.vaultUri, call, object: object.slice(0, 200) },
    });
  }
}
