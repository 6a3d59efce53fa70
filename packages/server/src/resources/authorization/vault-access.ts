import { BlockList, isIP, isIPv6 } from 'node:net';
import { scopeHolds, vaultResourceId } from '@kannuki/core';
import type { AccessControl, Caller, VaultSettings } from '@kannuki/keyvault/service/access';
import type { DataAction } from '@kannuki/keyvault/service/actions';
import type { AccessPolicy, NetworkRules } from '../../vaults/vault-properties.ts';
import type { VaultRecord } from '../../vaults/vault-record.ts';
import { allDataActions, dataActionsOfRole } from './data-actions.ts';
import type { RoleAssignments } from './role-assignments.ts';

/** What a principal's roles let it do in one vault. */
interface Rights {
  readonly everywhere: ReadonlySet<DataAction>;
  /** By `keys/NAME`, lower case. */
  readonly objects: ReadonlyMap<string, ReadonlySet<DataAction>>;
}

interface Entry {
  readonly settings: VaultSettings;
  readonly scope: string;
  /** By object id, or `OBJECT/APPLICATION`; lower case. Null: roles count, and nothing else (REQ-357). */
  readonly policies: ReadonlyMap<string, ReadonlySet<DataAction>> | null;
  /** Null: from everywhere. */
  readonly addresses: BlockList | null;
  readonly rights: Map<string, Rights>;
}

/** So many principals a vault are kept worked out; a storm of new ones costs time, not memory. */
const mostRights = 10_000;

/**
 * Decides about the data plane, from memory only: a call waits for no disk. The vault service says what changes.
 * An answer never depends on whether an object exists.
 */
export class VaultAccess implements AccessControl {
  readonly #entries = new Map<string, Entry>();
  readonly #assignments: RoleAssignments;
  readonly #place: { readonly subscriptionId: string; readonly tenantId: string };
  #assignmentsVersion = -1;

  constructor(assignments: RoleAssignments, place: { readonly subscriptionId: string; readonly tenantId: string }) {
    this.#assignments = assignments;
    this.#place = place;
  }

  /** A vault is there, or is other than it was. One that is deleted or half made is none. */
  set(vault: VaultRecord): void {
    if (vault.deletion !== null || vault.state !== 'ready') this.remove(vault.name);
    else this.#entries.set(vault.name.toLowerCase(), entryOf(vault, this.#place));
  }

  remove(name: string): void {
    this.#entries.delete(name.toLowerCase());
  }

  vault(name: string): VaultSettings | undefined {
    return this.#entries.get(name.toLowerCase())?.settings;
  }

  admitsAddress(vault: VaultSettings, caller: Caller): boolean {
    if (caller.isLocalAdministrator) return true;
    const entry = this.#entries.get(vault.name.toLowerCase());
    if (entry === undefined) return false;
    if (entry.addresses === null) return true;
    // Who has gone has no address any more.
    const family = isIP(caller.address);
    return family !== 0 && entry.addresses.check(caller.address, family === 6 ? 'ipv6' : 'ipv4');
  }

  permits(
    vault: VaultSettings,
    caller: Caller,
    action: DataAction,
    object: { readonly collection: 'keys' | 'secrets'; readonly name: string } | null,
  ): boolean {
    if (caller.isLocalAdministrator) return true;
    const entry = this.#entries.get(vault.name.toLowerCase());
    if (entry === undefined || caller.tenantId !== entry.settings.tenantId) return false;
    const principal = caller.objectId.toLowerCase();
    if (entry.policies !== null) {
      if (entry.policies.get(principal)?.has(action) === true) return true;
      const application = caller.applicationId?.toLowerCase();
      return application !== undefined && entry.policies.get(`${principal}/${application}`)?.has(action) === true;
    }
    const { everywhere, objects } = this.#rights(entry, principal);
    if (everywhere.has(action)) return true;
    if (object === null || objects.size === 0) return false;
    return objects.get(`${object.collection}/${object.name.toLowerCase()}`)?.has(action) === true;
  }

  #rights(entry: Entry, principal: string): Rights {
    if (this.#assignmentsVersion !== this.#assignments.version) {
      this.#assignmentsVersion = this.#assignments.version;
      for (const { rights } of this.#entries.values()) rights.clear();
    }
    const known = entry.rights.get(principal);
    if (known !== undefined) return known;
    if (entry.rights.size >= mostRights) entry.rights.clear();
    const rights = this.#workOut(entry.scope, principal);
    entry.rights.set(principal, rights);
    return rights;
  }

  #workOut(vaultScope: string, principal: string): Rights {
    const everywhere = new Set<DataAction>();
    const objects = new Map<string, Set<DataAction>>();
    for (const { scope, roleId } of this.#assignments.ofPrincipal(principal)) {
      const granted = dataActionsOfRole(roleId);
      if (scopeHolds(scope, vaultScope)) {
        for (const action of granted) everywhere.add(action);
      } else if (scopeHolds(vaultScope, scope)) {
        const object = scope.slice(vaultScope.length + 1).toLowerCase();
        objects.set(object, new Set([...(objects.get(object) ?? []), ...granted]));
      }
    }
    return { everywhere, objects };
  }
}

function entryOf(vault: VaultRecord, place: { readonly subscriptionId: string; readonly tenantId: string }): Entry {
  const { name, location, sku, resourceGroup, properties } = vault;
  return {
    settings: {
      name,
      tenantId: place.tenantId,
      subscriptionId: place.subscriptionId,
      location,
      sku,
      softDeleteRetentionDays: properties.retentionDays,
      purgeProtection: properties.purgeProtection,
    },
    scope: vaultResourceId(place.subscriptionId, resourceGroup, name),
    policies: properties.rbac ? null : policiesOf(properties.accessPolicies, place.tenantId),
    addresses: addressesOf(properties.networkRules, properties.publicNetworkAccess === 'Enabled'),
    rights: new Map(),
  };
}

function policiesOf(policies: readonly AccessPolicy[], tenantId: string): Entry['policies'] {
  const byPrincipal = new Map<string, Set<DataAction>>();
  for (const policy of policies) {
    // Nobody of another tenant gets in by a policy that names one.
    if (policy.tenantId.toLowerCase() !== tenantId.toLowerCase()) continue;
    const application = policy.applicationId === null ? '' : `/${policy.applicationId}`;
    const principal = `${policy.objectId}${application}`.toLowerCase();
    const granted = byPrincipal.get(principal) ?? new Set<DataAction>();
    for (const action of allDataActions) if (isInPolicy(policy, action)) granted.add(action);
    byPrincipal.set(principal, granted);
  }
  return byPrincipal;
}

/** `all` is all but purge, which has to be named (as in Azure), and release, which gives the key itself away. */
function isInPolicy({ permissions }: AccessPolicy, action: DataAction): boolean {
  const [collection, permission] = action.split('/') as ['keys' | 'secrets', string];
  const granted = permissions[collection];
  if (granted.includes(permission)) return true;
  return granted.includes('all') && permission !== 'purge' && permission !== 'release';
}

function addressesOf(rules: NetworkRules | null, isPublic: boolean): BlockList | null {
  if (isPublic && (rules === null || rules.defaultAction === 'Allow')) return null;
  const admitted = new BlockList();
  if (!isPublic) return admitted;
  for (const rule of rules?.ipRules ?? []) {
    const [address = '', length] = rule.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (length === undefined) admitted.addAddress(address, family);
    else admitted.addSubnet(address, Number(length), family);
  }
  return admitted;
}
