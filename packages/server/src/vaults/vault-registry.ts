import { KannukiError, vaultResourceId } from '@kannuki/core';
import type { RoleAssignments } from '../resources/authorization/role-assignments.ts';
import type { VaultAccess } from '../resources/authorization/vault-access.ts';
import type { ServerDatabase } from '../storage/database.ts';
import type { OwnershipStore } from '../storage/ownership-store.ts';
import type { VaultRegistryStore } from '../storage/vault-registry-store.ts';
import { changedVault, newVault, type VaultChange } from './vault-change.ts';
import type { VaultRecord } from './vault-record.ts';

/** Where the objects of vaults are: `EmbeddedVaults` is one. */
export interface VaultPlaces {
  /** Whether there is any key or secret, live or deleted, in a vault of that name. */
  holdsObjects(name: string): Promise<boolean>;
  /** Makes a place, or finds the one of that name. */
  createVault(name: string): Promise<unknown>;
  /** Takes all objects of a vault away, live and deleted, and its place. Does nothing where there is none. */
  purgeVault(name: string): Promise<void>;
}

export interface VaultRegistryOptions {
  readonly vaults: VaultPlaces;
  readonly database: ServerDatabase;
  readonly registry: VaultRegistryStore;
  readonly ownership: OwnershipStore;
  readonly access: VaultAccess;
  readonly assignments: RoleAssignments;
  readonly subscriptionId: string;
  /** Whether keys can be kept in hardware: without, there are no premium vaults (REQ-128). */
  readonly hasKeyModule: boolean;
  readonly now: () => number;
}

export interface NewVault {
  readonly name: string;
  readonly resourceGroup: string;
  readonly location: string;
}

/** REQ-120. */
const vaultName = /^(?=.{3,24}$)[a-z](?:-?[a-z0-9])+$/i;
const day = 24 * 3600 * 1000;
/** Vaults that are purged in one go; the rest comes the next time. */
const purgesAtOnce = 20;

/** The vaults of this server as their owners manage them: made, changed, deleted, recovered, purged. */
export class VaultRegistry {
  readonly #options: VaultRegistryOptions;
  readonly #purges = new Map<string, Promise<void>>();
  /** Names of vaults that are being made at this moment. */
  readonly #creations = new Set<string>();

  /** Vaults are known to access control when this returns. */
  constructor(options: VaultRegistryOptions) {
    this.#options = options;
    for (const vault of options.registry.list()) options.access.set(vault);
  }

  /**
   * The name is taken first (in server.db), then comes the place for its objects (in vault.db): `finishCreations` finishes what a
   * crash has cut in between.
   * @param assertPlace throws where its resource group is no more; called when the name is about to be taken
   * @throws KannukiError KNK-ARM-0003 to 0005, 0009, 0018, 0020 for a premium vault without a module
   */
  async create(wanted: NewVault, change: VaultChange, assertPlace: () => void = () => undefined): Promise<VaultRecord> {
    assertVaultName(wanted.name);
    this.#refusePremium(change);
    const { registry, vaults, now } = this.#options;
    const vault = newVault({ ...wanted, createdAt: now() }, change);
    if (registry.find(wanted.name) === undefined && (await vaults.holdsObjects(wanted.name))) {
      // The two databases are of different days. What is in there belongs to somebody, and not to who comes now.
      const reason = 'vault.db holds keys or secrets of a vault of that name, which server.db does not know';
      throw new KannukiError('KNK-ARM-0018', { details: { resource: `vault ${wanted.name}`, reason } });
    }
    assertPlace();
    if (!registry.add(vault)) throw this.#taken(wanted.name);
    this.#creations.add(vault.name);
    try {
      return await this.#finishCreation(vault);
    } catch (error) {
      // The name must not stay taken by what is not there.
      registry.remove(vault.name);
      throw error;
    } finally {
      this.#creations.delete(vault.name);
    }
  }

  /** Live vaults. */
  list(resourceGroup?: string): readonly VaultRecord[] {
    const group = resourceGroup?.toLowerCase();
    return this.#options.registry
      .list()
      .filter(isLive)
      .filter((vault) => group === undefined || vault.resourceGroup.toLowerCase() === group);
  }

  /** @returns undefined where there is none, or a deleted one */
  find(name: string): VaultRecord | undefined {
    const vault = this.#options.registry.find(name);
    return vault !== undefined && isLive(vault) ? vault : undefined;
  }

  /** @throws KannukiError KNK-SRV-0010 */
  show(name: string): VaultRecord {
    const found = this.find(name);
    if (found === undefined) throw new KannukiError('KNK-SRV-0010', { details: { vault: name.slice(0, 100) } });
    return found;
  }

  /** @throws KannukiError KNK-SRV-0010, KNK-ARM-0009, 0020 */
  update(name: string, change: VaultChange): VaultRecord {
    const known = this.show(name);
    if (change.sku !== known.sku) this.#refusePremium(change);
    const vault = changedVault(known, change);
    this.#options.registry.replace(vault);
    this.#options.access.set(vault);
    return vault;
  }

  /** Softly: keys and secrets stay for as long as the vault's retention says (REQ-355). @throws KannukiError KNK-SRV-0010 */
  async delete(name: string): Promise<VaultRecord> {
    const known = this.show(name);
    const { database, registry, access, assignments, subscriptionId, now } = this.#options;
    const deletedAt = now();
    const purgeAt = deletedAt + known.properties.retentionDays * day;
    const vault: VaultRecord = { ...known, deletion: { deletedAt, purgeAt } };
    const scope = vaultResourceId(subscriptionId, vault.resourceGroup, vault.name);
    database.transaction(() => {
      registry.replace(vault);
      assignments.removeStoredBelow(scope);
    });
    access.remove(vault.name);
    assignments.forgetBelow(scope);
    return vault;
  }

  listDeleted(): readonly VaultRecord[] {
    return this.#options.registry.list().filter(isDeleted);
  }

  findDeleted(name: string): VaultRecord | undefined {
    const vault = this.#options.registry.find(name);
    return vault !== undefined && isDeleted(vault) ? vault : undefined;
  }

  /** @throws KannukiError KNK-ARM-0011, 0009 where it lies in another group */
  recover(wanted: NewVault): VaultRecord {
    const { name, location, resourceGroup } = wanted;
    const known = this.findDeleted(name);
    if (known === undefined) throw deletedNotFound(name, location);
    if (known.resourceGroup.toLowerCase() !== resourceGroup.toLowerCase()) {
      const reason = `the vault was in ${known.resourceGroup} and can be recovered there only`;
      throw new KannukiError('KNK-ARM-0009', { details: { what: 'the resource group', reason } });
    }
    const vault: VaultRecord = { ...known, deletion: null };
    this.#options.registry.replace(vault);
    this.#options.access.set(vault);
    return vault;
  }

  /** Whether a deleted vault may be purged now. @throws KannukiError KNK-ARM-0011, KNK-KVT-0025 (REQ-352) */
  assertPurgeable(name: string): VaultRecord {
    const vault = this.findDeleted(name);
    if (vault?.deletion == null) throw deletedNotFound(name, 'this server');
    const { purgeAt } = vault.deletion;
    if (vault.properties.purgeProtection && purgeAt > this.#options.now()) {
      const date = new Date(purgeAt).toISOString().slice(0, 10);
      const details = { object: `vault ${vault.name}`, date, reason: 'purge protection is on' };
      throw new KannukiError('KNK-KVT-0025', { details });
    }
    return vault;
  }

  /** For ever. Goes on where it was cut; a vault that is gone, or was recovered meanwhile, is left alone. */
  purge(name: string): Promise<void> {
    const key = name.toLowerCase();
    // Once at a time: a second run could end after the name was given to a new vault.
    const running = this.#purges.get(key) ?? this.#purge(name).finally(() => this.#purges.delete(key));
    this.#purges.set(key, running);
    return running;
  }

  async #purge(name: string): Promise<void> {
    const known = this.#options.registry.find(name);
    if (known?.deletion == null) return;
    if (known.state !== 'purging') this.assertPurgeable(name);
    // From here on it cannot be recovered: some of its objects may be gone.
    this.#options.registry.replace({ ...known, state: 'purging' });
    await this.#options.vaults.purgeVault(known.name);
    const { database, registry, ownership } = this.#options;
    database.transaction(() => {
      ownership.forgetVault(known.name);
      registry.remove(known.name);
    });
  }

  /** REQ-354, 355: purges what has come to its day, and what a failure has left half purged. @returns what could not be purged, and why */
  async purgeDue(): Promise<readonly { readonly vault: string; readonly error: unknown }[]> {
    const failed: { vault: string; error: unknown }[] = [];
    for (const { name } of this.#options.registry.due(this.#options.now(), purgesAtOnce)) {
      try {
        await this.purge(name);
      } catch (error) {
        failed.push({ vault: name, error });
      }
    }
    return failed;
  }

  /** Finishes creations that a crash has cut in the middle. @returns what could not be made, and why */
  async finishCreations(): Promise<readonly { readonly vault: string; readonly error: unknown }[]> {
    const failed: { vault: string; error: unknown }[] = [];
    for (const vault of this.#options.registry.list()) {
      if (vault.state !== 'creating' || this.#creations.has(vault.name)) continue;
      try {
        await this.#finishCreation(vault);
      } catch (error) {
        failed.push({ vault: vault.name, error });
      }
    }
    return failed;
  }

  /** REQ-120: names are unique in the whole server, deleted vaults' too. */
  availability(
    name: string,
  ): { readonly reason: 'AccountNameInvalid' | 'AlreadyExists'; readonly error: KannukiError } | null {
    if (!vaultName.test(name)) return { reason: 'AccountNameInvalid', error: nameNotValid(name) };
    if (this.#options.registry.find(name) === undefined) return null;
    return { reason: 'AlreadyExists', error: this.#taken(name) };
  }

  async #finishCreation(vault: VaultRecord): Promise<VaultRecord> {
    const { vaults, registry, access } = this.#options;
    await vaults.createVault(vault.name);
    const ready: VaultRecord = { ...vault, state: 'ready' };
    registry.replace(ready);
    access.set(ready);
    return ready;
  }

  #taken(name: string): KannukiError {
    const code = this.findDeleted(name) === undefined ? 'KNK-ARM-0003' : 'KNK-ARM-0004';
    return new KannukiError(code, { details: { vault: name } });
  }

  #refusePremium({ sku }: VaultChange): void {
    if (sku !== 'premium' || this.#options.hasKeyModule) return;
    throw new KannukiError('KNK-ARM-0020');
  }
}

function isLive({ state, deletion }: VaultRecord): boolean {
  return state === 'ready' && deletion === null;
}

function isDeleted({ state, deletion }: VaultRecord): boolean {
  return state === 'ready' && deletion !== null;
}

/** @throws KannukiError KNK-ARM-0005 */
export function assertVaultName(name: string): void {
  if (!vaultName.test(name)) throw nameNotValid(name);
}

function nameNotValid(name: string): KannukiError {
  return new KannukiError('KNK-ARM-0005', { details: { vault: JSON.stringify(name.slice(0, 100)) } });
}

function deletedNotFound(vault: string, location: string): KannukiError {
  return new KannukiError('KNK-ARM-0011', { details: { vault: vault.slice(0, 100), location } });
}
