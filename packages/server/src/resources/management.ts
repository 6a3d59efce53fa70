import type { SealableVaults } from '@kannuki/keyvault';
import type { OnFailure } from '../http/error-reply.ts';
import type { ServerDatabase } from '../storage/database.ts';
import { OperationStore } from '../storage/operation-store.ts';
import { OwnershipStore } from '../storage/ownership-store.ts';
import { ResourceGroupStore } from '../storage/resource-group-store.ts';
import { RoleAssignmentStore } from '../storage/role-assignment-store.ts';
import { VaultRegistryStore } from '../storage/vault-registry-store.ts';
import type { VmStore } from '../storage/vm-store.ts';
import { type VaultPlaces, VaultRegistry } from '../vaults/vault-registry.ts';
import { type ArmServices, operationKinds } from './arm/arm-services.ts';
import { Operations } from './arm/operations.ts';
import { Authorizer } from './authorization/authorizer.ts';
import { RoleAssignments } from './authorization/role-assignments.ts';
import { VaultAccess } from './authorization/vault-access.ts';
import { GroupService } from './groups/group-service.ts';

export interface ManagementOptions {
  readonly database: ServerDatabase;
  readonly vmStore: VmStore;
  readonly vaults: SealableVaults;
  readonly subscriptionId: string;
  readonly tenantId: string;
  readonly location: string;
  readonly hasKeyModule: boolean;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly onFailure: OnFailure;
}

/** The management plane without any HTTP, and what it tells the data plane. */
export function openManagement(options: ManagementOptions): {
  readonly arm: ArmServices;
  readonly access: VaultAccess;
} {
  const { database, vmStore, vaults, subscriptionId, tenantId, location, hasKeyModule, now, onFailure } = options;
  const assignments = new RoleAssignments(new RoleAssignmentStore(database));
  const access = new VaultAccess(assignments, { subscriptionId, tenantId });
  const registry = new VaultRegistry({
    vaults: placesIn(vaults),
    database,
    registry: new VaultRegistryStore(database),
    ownership: new OwnershipStore(database),
    access,
    assignments,
    subscriptionId,
    hasKeyModule,
    now,
  });
  const groups = new GroupService({
    database,
    groups: new ResourceGroupStore(database),
    vms: vmStore,
    vaults: registry,
    assignments,
    subscriptionId,
    now,
  });
  const operations = new Operations({ store: new OperationStore(database), now, onFailure });
  operations.define(operationKinds.deleteGroup, (group) => groups.remove(group));
  operations.define(operationKinds.purgeVault, (vault) => registry.purge(vault));
  const authorizer = new Authorizer(assignments, tenantId);
  return {
    arm: { subscriptionId, tenantId, location, groups, registry, vmStore, assignments, authorizer, operations, now },
    access,
  };
}

const one = { limit: 1, after: null };

function placesIn(sealable: SealableVaults): VaultPlaces {
  return {
    createVault: (name) => sealable.vaults().createVault(name),
    purgeVault: (name) => sealable.vaults().purgeVault(name),
    async holdsObjects(name) {
      const vaults = sealable.vaults();
      if (!vaults.names().some((known) => known.toLowerCase() === name.toLowerCase())) return false;
      const { keys, secrets } = vaults.vault(name);
      const pages = await Promise.all([
        keys.list(one),
        keys.listDeleted(one),
        secrets.list(one),
        secrets.listDeleted(one),
      ]);
      return pages.some(({ items }) => items.length > 0);
    },
  };
}
