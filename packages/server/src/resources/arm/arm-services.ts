import type { VmStore } from '../../storage/vm-store.ts';
import type { VaultRegistry } from '../../vaults/vault-registry.ts';
import type { Authorizer } from '../authorization/authorizer.ts';
import type { RoleAssignments } from '../authorization/role-assignments.ts';
import type { GroupService } from '../groups/group-service.ts';
import type { Operations } from './operations.ts';

/** What the routes of ARM work with. */
export interface ArmServices {
  readonly subscriptionId: string;
  readonly tenantId: string;
  /** Region of what names none: the only one that there is. */
  readonly location: string;
  readonly groups: GroupService;
  readonly registry: VaultRegistry;
  readonly vmStore: VmStore;
  readonly assignments: RoleAssignments;
  readonly authorizer: Authorizer;
  readonly operations: Operations;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export const operationKinds = { deleteGroup: 'delete-group', purgeVault: 'purge-vault' } as const;
