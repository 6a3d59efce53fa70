import { randomUUID } from 'node:crypto';
import type { SettingsStore } from '../../storage/settings-store.ts';
import type { RoleAssignments } from './role-assignments.ts';
import { ownerRole, vaultAdministratorRole } from './role-definitions.ts';

/**
 * The first administrator owns the subscription and, so that a fresh script works, may use all data of vaults that go by
 * roles. Given once: what its owner takes away stays away, also over a restart.
 */
export function giveFirstRoles(
  administrator: string,
  {
    assignments,
    settings,
    subscriptionId,
    now,
  }: {
    readonly assignments: RoleAssignments;
    readonly settings: SettingsStore;
    readonly subscriptionId: string;
    readonly now: () => number;
  },
): void {
  if (settings.get('administrator-roles-given-to') === administrator) return;
  const scope = `/subscriptions/${subscriptionId}`;
  for (const roleId of [ownerRole, vaultAdministratorRole]) {
    // A crash between the two leaves one: it is not given twice.
    if (assignments.ofPrincipal(administrator).some((one) => one.roleId === roleId && one.scope === scope)) continue;
    assignments.add({
      id: randomUUID(),
      scope,
      roleId,
      principalId: administrator,
      principalType: 'ServicePrincipal',
      description: 'the first administrator of this server',
      createdBy: administrator,
      createdAt: now(),
    });
  }
  settings.set('administrator-roles-given-to', administrator);
}
