import { KannukiError, scopeHolds } from '@kannuki/core';
import type { Caller } from '@kannuki/keyvault/service/access';
import { isGranted } from './action-match.ts';
import type { RoleAssignments } from './role-assignments.ts';
import { findRole, type RoleDefinition } from './role-definitions.ts';

const assign = 'Microsoft.Authorization/roleAssignments/write';
const unassign = 'Microsoft.Authorization/roleAssignments/delete';

/** Decides about the management plane: who holds a role that permits an action, at its scope or above. */
export class Authorizer {
  readonly #assignments: RoleAssignments;
  readonly #tenantId: string;

  constructor(assignments: RoleAssignments, tenantId: string) {
    this.#assignments = assignments;
    this.#tenantId = tenantId;
  }

  permits(caller: Caller, action: string, scope: string): boolean {
    return caller.isLocalAdministrator || this.#granting(caller, action, scope).length > 0;
  }

  /** @throws KannukiError KNK-ARM-0006 */
  require(caller: Caller, action: string, scope: string): void {
    if (!this.permits(caller, action, scope)) throw denied(caller, action, scope);
  }

  /**
   * A role assignment is made or taken away; some roles may do that with some roles only.
   * @throws KannukiError KNK-ARM-0006
   */
  requireAssignment(caller: Caller, change: 'write' | 'delete', scope: string, roleId: string): void {
    if (caller.isLocalAdministrator) return;
    const action = change === 'write' ? assign : unassign;
    const mayChange = ({ assignableRoles }: RoleDefinition): boolean =>
      assignableRoles === undefined || assignableRoles.includes(roleId);
    if (!this.#granting(caller, action, scope).some(mayChange)) throw denied(caller, action, scope);
  }

  /** May give any role to anybody: who may do that may also choose how a vault's access is governed. */
  mayAssignAnyRole(caller: Caller, scope: string): boolean {
    const isUnbound = ({ assignableRoles }: RoleDefinition): boolean => assignableRoles === undefined;
    return caller.isLocalAdministrator || this.#granting(caller, assign, scope).some(isUnbound);
  }

  /** Has any role at all that says something about a scope or what is in it. */
  knows(caller: Caller, scope: string): boolean {
    if (caller.isLocalAdministrator) return true;
    if (caller.tenantId !== this.#tenantId) return false;
    const held = this.#assignments.ofPrincipal(caller.objectId);
    return held.some((assignment) => scopeHolds(scope, assignment.scope) || scopeHolds(assignment.scope, scope));
  }

  /**
   * For a list of what is in a scope: whoever may read in all of it, or has a role on something in it. For anybody else a
   * scope that is not there is as one that is.
   * @throws KannukiError KNK-ARM-0006
   */
  requireView(caller: Caller, action: string, scope: string): void {
    if (this.permits(caller, action, scope)) return;
    const held = caller.tenantId === this.#tenantId ? this.#assignments.ofPrincipal(caller.objectId) : [];
    if (!held.some((assignment) => scopeHolds(scope, assignment.scope))) throw denied(caller, action, scope);
  }

  #granting(caller: Caller, action: string, scope: string): readonly RoleDefinition[] {
    if (caller.tenantId !== this.#tenantId) return [];
    return this.#assignments
      .ofPrincipal(caller.objectId)
      .filter((assignment) => scopeHolds(assignment.scope, scope))
      .map(({ roleId }) => findRole(roleId))
      .filter((role) => role !== undefined)
      .filter(({ actions, notActions }) => isGranted(actions, notActions, action));
  }
}

function denied({ objectId }: Caller, action: string, scope: string): KannukiError {
  return new KannukiError('KNK-ARM-0006', { details: { principal: objectId, action, scope: scope.slice(0, 500) } });
}
