import type { DataAction } from '@kannuki/keyvault/service/actions';
import { keyActions, secretActions } from '@kannuki/keyvault/service/actions';
import { isGranted } from './action-match.ts';
import { type RoleDefinition, roleDefinitions } from './role-definitions.ts';

/** How roles call what access policies call otherwise; the rest has the same name and ends in `/action`. */
const ofRoles: Partial<Record<DataAction, string>> = {
  'keys/get': 'keys/read',
  'keys/list': 'keys/read',
  'keys/delete': 'keys/delete',
  'keys/unwrapKey': 'keys/unwrap/action',
  'keys/wrapKey': 'keys/wrap/action',
  'keys/getrotationpolicy': 'keyrotationpolicies/read',
  'keys/setrotationpolicy': 'keyrotationpolicies/write',
  'secrets/get': 'secrets/getSecret/action',
  'secrets/list': 'secrets/readMetadata/action',
  'secrets/set': 'secrets/setSecret/action',
  'secrets/delete': 'secrets/delete',
};

export const allDataActions: readonly DataAction[] = [
  ...keyActions.map((action): DataAction => `keys/${action}`),
  ...secretActions.map((action): DataAction => `secrets/${action}`),
];

function roleActionOf(action: DataAction): string {
  return `Microsoft.KeyVault/vaults/${ofRoles[action] ?? `${action}/action`}`;
}

const byRole = new Map(
  roleDefinitions.map((role): [string, ReadonlySet<DataAction>] => [role.id, new Set(grantedBy(role))]),
);

function grantedBy({ dataActions }: RoleDefinition): readonly DataAction[] {
  return allDataActions.filter((action) => isGranted(dataActions, [], roleActionOf(action)));
}

/** What a role lets its principal do with data. */
export function dataActionsOfRole(roleId: string): ReadonlySet<DataAction> {
  return byRole.get(roleId) ?? new Set();
}
