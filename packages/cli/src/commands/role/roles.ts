import { KannukiError } from '@kannuki/core';
import { AdminClient } from '@kannuki/server/local-admin/client';
import type { AzureConnection } from '../../azure-client/connection.ts';
import { dataOption } from '../../azure-client/data-option.ts';
import {
  authorizationApiVersion as apiVersion,
  groupOf,
  type Resource,
  subscriptionPath,
} from '../../azure-client/resources.ts';
import { text } from '../../program/options.ts';

const guid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export const assigneeOption = text('OBJECTID|APPID', {
  en: 'object id of a principal, or the client id of an application',
  ja: 'プリンシパルのオブジェクト ID、またはアプリケーションのクライアント ID',
});

export const roleOption = text('NAME|GUID', {
  en: 'name of the role, or its id; see `kannuki role definition list`',
  ja: 'ロールの名前または ID (`kannuki role definition list` を参照)',
});

export const scopeOption = text('ID', {
  en: 'what it is for: id of a subscription, group, vault, or /VAULTID/secrets/NAME; default the subscription',
  ja: '対象: サブスクリプション、グループ、キー コンテナーの ID、または /VAULTID/secrets/NAME。既定はサブスクリプション',
});

export const roleOptions = { assignee: assigneeOption, role: roleOption, scope: scopeOption, data: dataOption };

/** @throws KannukiError KNK-CLI-0004 for what is no id of a resource */
export async function scopeOf(azure: AzureConnection, scope: string | undefined): Promise<string> {
  if (scope === undefined) return subscriptionPath(azure);
  // Segments stay as they are, so nothing in them may lead elsewhere.
  if (/^(?:\/[\p{L}\p{N}._()-]{1,120}){1,20}\/?$/u.test(scope) && !/\/\.{1,2}(?:\/|$)/.test(scope))
    return scope.replace(/\/$/, '');
  const details = {
    word: '--scope',
    value: scope.slice(0, 200),
    expected: 'the id of a resource',
    command: 'kannuki role',
  };
  throw new KannukiError('KNK-CLI-0004', { details });
}

/**
 * The object id that an assignee means: a client id is looked up in the directory, anything else is the object's own id.
 */
export async function objectIdOfAssignee(azure: AzureConnection, assignee: string): Promise<string> {
  if (!/^[A-Za-z0-9-]{1,64}$/.test(assignee)) {
    const details = { word: '--assignee', value: assignee.slice(0, 100), expected: 'an id', command: 'kannuki role' };
    throw new KannukiError('KNK-CLI-0004', { details });
  }
  if (azure.dataDirectory !== null) {
    // The administrator's socket has no directory; the server's own list says the same.
    const all = await new AdminClient(azure.dataDirectory).call('ad-sp-list', {});
    return all.find(({ appId }) => appId.toLowerCase() === assignee.toLowerCase())?.id ?? assignee;
  }
  const reply = await azure.call({
    plane: 'graph',
    method: 'GET',
    path: '/v1.0/servicePrincipals',
    query: { $filter: `servicePrincipalNames/any(c:c eq '${assignee}')` },
    what: `principal ${assignee}`,
  });
  const [found] = Array.isArray(reply.data.value) ? (reply.data.value as { id?: unknown }[]) : [];
  return typeof found?.id === 'string' ? found.id : assignee;
}

export async function roleDefinitions(azure: AzureConnection, scope: string): Promise<Resource[]> {
  const path = `${scope}/providers/Microsoft.Authorization/roleDefinitions`;
  return azure.list({ plane: 'management', path, apiVersion, what: 'roles' });
}

/** The full id of a role. @throws KannukiError KNK-AZC-0001 where no role has the name */
export async function roleId(azure: AzureConnection, role: string): Promise<string> {
  if (role.startsWith('/')) return role;
  const base = `${await subscriptionPath(azure)}/providers/Microsoft.Authorization/roleDefinitions`;
  if (guid.test(role)) return `${base}/${role.toLowerCase()}`;
  const all = await roleDefinitions(azure, await subscriptionPath(azure));
  const found = all.find((one) => String(roleProperties(one).roleName).toLowerCase() === role.toLowerCase());
  if (found !== undefined) return String(found.id);
  throw new KannukiError('KNK-AZC-0001', { details: { what: `role ${role}`, reason: 'no role has this name' } });
}

function roleProperties(definition: Resource): Record<string, unknown> {
  return (definition.properties ?? {}) as Record<string, unknown>;
}

/** A role as `az role definition list` prints it. */
export function definitionShape(definition: Resource): object {
  const { roleName, description, type: roleType, permissions, assignableScopes } = roleProperties(definition);
  return {
    assignableScopes: assignableScopes ?? [],
    description: description ?? null,
    id: definition.id,
    name: definition.name,
    permissions: permissions ?? [],
    roleName,
    roleType: roleType ?? 'BuiltInRole',
    type: definition.type,
  };
}

export interface Assignment {
  readonly id: string;
  readonly name: unknown;
  readonly principalId: unknown;
  readonly principalType: unknown;
  readonly resourceGroup: string | null;
  readonly roleDefinitionId: string;
  readonly roleDefinitionName: string;
  readonly scope: string;
  readonly type: unknown;
}

/** An assignment as `az role assignment list` prints it. */
export function assignmentShape(assignment: Resource, roles: readonly Resource[]): Assignment {
  const { principalId, principalType, roleDefinitionId, scope } = (assignment.properties ?? {}) as Record<
    string,
    unknown
  >;
  const roleGuid = lastPart(String(roleDefinitionId));
  const role = roles.find((one) => lastPart(String(one.id)) === roleGuid);
  return {
    id: String(assignment.id),
    name: assignment.name,
    principalId,
    principalType: principalType ?? null,
    resourceGroup: groupOf(`${String(scope)}/`),
    roleDefinitionId: String(roleDefinitionId),
    roleDefinitionName: role === undefined ? '' : String(roleProperties(role).roleName),
    scope: String(scope),
    type: assignment.type,
  };
}

function lastPart(id: string): string {
  return (id.split('/').at(-1) ?? '').toLowerCase();
}

export interface AssignmentFilter {
  readonly assignee: string | undefined;
  readonly role: string | undefined;
  readonly scope: string | undefined;
  /** Only those made at this very scope: ARM also answers with those that are inherited from above and made below. */
  readonly exactly: boolean;
}

export async function findAssignments(azure: AzureConnection, filter: AssignmentFilter): Promise<Assignment[]> {
  const scope = await scopeOf(azure, filter.scope);
  const principal = filter.assignee === undefined ? undefined : await objectIdOfAssignee(azure, filter.assignee);
  const wanted = filter.role === undefined ? undefined : lastPart(await roleId(azure, filter.role));
  const path = `${scope}/providers/Microsoft.Authorization/roleAssignments`;
  const query = principal === undefined ? {} : { $filter: `principalId eq '${principal}'` };
  const found = await azure.list({ plane: 'management', path, query, apiVersion, what: 'role assignments' });
  const roles = await roleDefinitions(azure, await subscriptionPath(azure));
  return found
    .map((one) => assignmentShape(one, roles))
    .filter((one) => principal === undefined || String(one.principalId).toLowerCase() === principal.toLowerCase())
    .filter((one) => wanted === undefined || lastPart(one.roleDefinitionId) === wanted)
    .filter((one) => !filter.exactly || one.scope.replace(/\/$/, '').toLowerCase() === scope.toLowerCase());
}
