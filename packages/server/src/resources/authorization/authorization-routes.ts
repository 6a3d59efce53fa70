import { isGuid, KannukiError, parseResourceId, resourceIdText, scopeHolds } from '@kannuki/core';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { invalid } from '../arm/arm-error.ts';
import { bodyOf, callerOf, objectOf, pageOf, queryOf } from '../arm/arm-request.ts';
import type { ArmServices } from '../arm/arm-services.ts';
import type { RoleAssignment } from './role-assignments.ts';
import { findRole, type RoleDefinition, roleDefinitions } from './role-definitions.ts';

const mostAssignments = 100_000;

/** A scope is all that comes before `/providers/Microsoft.Authorization`: down to one key or secret of a vault. */
const scopePaths = [
  '/subscriptions/:subscription',
  '/subscriptions/:subscription/resourceGroups/:group',
  '/subscriptions/:subscription/resourceGroups/:group/providers/:provider/:type/:name',
  '/subscriptions/:subscription/resourceGroups/:group/providers/:provider/:type/:name/:innerType/:innerName',
];

/** Role definitions and assignments (REQ-356 to REQ-366), as Azure's authorization API has them. */
export function authorizationRoutes(app: FastifyInstance, services: ArmServices): void {
  const { assignments, authorizer, subscriptionId, groups, registry, now } = services;
  const roleShape = (role: RoleDefinition): object => ({
    id: `/subscriptions/${subscriptionId}/providers/Microsoft.Authorization/roleDefinitions/${role.id}`,
    name: role.id,
    type: 'Microsoft.Authorization/roleDefinitions',
    properties: {
      roleName: role.name,
      type: 'BuiltInRole',
      description: role.description,
      assignableScopes: ['/'],
      permissions: [
        { actions: role.actions, notActions: role.notActions, dataActions: role.dataActions, notDataActions: [] },
      ],
    },
  });
  const shape = (one: RoleAssignment): object => ({
    id: `${one.scope}/providers/Microsoft.Authorization/roleAssignments/${one.id}`,
    name: one.id,
    type: 'Microsoft.Authorization/roleAssignments',
    properties: {
      roleDefinitionId: `/subscriptions/${subscriptionId}/providers/Microsoft.Authorization/roleDefinitions/${one.roleId}`,
      principalId: one.principalId,
      principalType: one.principalType,
      scope: one.scope,
      description: one.description,
      createdOn: new Date(one.createdAt).toISOString(),
      createdBy: one.createdBy,
    },
  });

  app.get('/providers/Microsoft.Authorization/roleDefinitions', async (request) => listRoles(request));
  app.get<{ Params: { role: string } }>('/providers/Microsoft.Authorization/roleDefinitions/:role', async (request) =>
    roleShape(requireRole(request.params.role)),
  );
  for (const path of scopePaths) {
    const roles = `${path}/providers/Microsoft.Authorization/roleDefinitions`;
    app.get(roles, async (request) => listRoles(request));
    app.get<{ Params: { role: string } }>(`${roles}/:role`, async (request) =>
      roleShape(requireRole(request.params.role)),
    );
    const collection = `${path}/providers/Microsoft.Authorization/roleAssignments`;
    interface One {
      Params: { assignment: string };
    }
    app.get(collection, async (request) => {
      const scope = scopeOf(request);
      authorizer.require(callerOf(request), 'Microsoft.Authorization/roleAssignments/read', scope);
      return pageOf(
        request,
        assignments
          .list()
          .filter(filterOf(queryOf(request, '$filter'), scope))
          .map(shape),
      );
    });
    app.get<One>(`${collection}/:assignment`, async (request) => {
      const scope = scopeOf(request);
      authorizer.require(callerOf(request), 'Microsoft.Authorization/roleAssignments/read', scope);
      const found = find(scope, request.params.assignment);
      if (found !== undefined) return shape(found);
      const resource = `roleAssignments/${request.params.assignment.slice(0, 100)}`;
      throw new KannukiError('KNK-ARM-0002', { details: { resource } });
    });
    app.put<One>(`${collection}/:assignment`, async (request, reply) => reply.code(201).send(shape(assign(request))));
    app.delete<One>(`${collection}/:assignment`, async (request, reply) => {
      const scope = scopeOf(request);
      const found = find(scope, request.params.assignment);
      authorizer.requireAssignment(callerOf(request), 'delete', scope, found?.roleId ?? '');
      if (found === undefined) return reply.code(204).send();
      assignments.remove(found.id);
      return shape(found);
    });
  }

  function listRoles(request: FastifyRequest): object {
    const filter = queryOf(request, '$filter');
    const wanted = /roleName\s+eq\s+'([^']{1,100})'/i.exec(filter ?? '')?.[1]?.toLowerCase();
    return pageOf(
      request,
      roleDefinitions.filter(({ name }) => wanted === undefined || name.toLowerCase() === wanted).map(roleShape),
    );
  }

  /** An assignment is named with the scope that it was made at. */
  function find(scope: string, id: string): RoleAssignment | undefined {
    const found = assignments.find(id);
    return found?.scope.toLowerCase() === scope.toLowerCase() ? found : undefined;
  }

  function assign(request: FastifyRequest<{ Params: { assignment: string } }>): RoleAssignment {
    const { assignment: id } = request.params;
    const scope = scopeOf(request);
    const properties = objectOf(bodyOf(request).properties, 'properties');
    const { principalId, roleDefinitionId, principalType = 'ServicePrincipal', description = null } = properties;
    const caller = callerOf(request);
    const role = requireRole(typeof roleDefinitionId === 'string' ? roleDefinitionId : '');
    authorizer.requireAssignment(caller, 'write', scope, role.id);
    if (!isGuid(id)) throw invalid('the name of the role assignment', 'it is no GUID');
    if (typeof principalId !== 'string' || !isGuid(principalId)) throw invalid('principalId', 'it is no GUID');
    if (typeof principalType !== 'string' || !/^[A-Za-z]{1,40}$/.test(principalType)) {
      throw invalid('principalType', 'it is no word');
    }
    if (description !== null && (typeof description !== 'string' || description.length > 1000)) {
      throw invalid('description', 'it is no text of up to 1000 characters');
    }
    if (properties.condition != null) throw invalid('condition', 'conditions are not supported');
    requireScope(scope);
    const wanted: RoleAssignment = {
      id: id.toLowerCase(),
      scope,
      roleId: role.id,
      principalId: principalId.toLowerCase(),
      principalType,
      description,
      createdBy: caller.objectId,
      createdAt: now(),
    };
    const exists = (reason: string): KannukiError =>
      new KannukiError('KNK-ARM-0015', { details: { assignment: wanted.id, reason } });
    const known = assignments.find(id);
    if (known !== undefined) {
      if (isSame(known, wanted)) return known;
      throw exists('its role, principal and scope cannot be changed');
    }
    if (assignments.ofPrincipal(wanted.principalId).some((one) => isSame(one, wanted))) {
      throw exists('the principal has that role at that scope');
    }
    if (assignments.list().length >= mostAssignments) throw invalid('roleAssignments', `there are ${mostAssignments}`);
    assignments.add(wanted);
    return wanted;
  }

  /** What a role is given on has to be there; keys and secrets are not looked at, so that nobody learns of them here. */
  function requireScope(scope: string): void {
    const id = parseResourceId(scope);
    if (id?.resourceGroup == null) return;
    groups.require(id.resourceGroup);
    const [outer] = id.parts;
    if (outer === undefined || id.provider?.toLowerCase() !== 'microsoft.keyvault') return;
    const vault = outer.type.toLowerCase() === 'vaults' ? registry.find(outer.name) : undefined;
    if (vault?.resourceGroup.toLowerCase() === id.resourceGroup.toLowerCase()) return;
    throw new KannukiError('KNK-ARM-0002', { details: { resource: scope.slice(0, 500) } });
  }
}

function isSame(left: RoleAssignment, right: RoleAssignment): boolean {
  const key = ({ scope, roleId, principalId }: RoleAssignment): string => `${scope} ${roleId} ${principalId}`;
  return key(left).toLowerCase() === key(right).toLowerCase();
}

function requireRole(id: string): RoleDefinition {
  const role = findRole(id);
  if (role === undefined) throw new KannukiError('KNK-ARM-0016', { details: { role: id.slice(0, 300) } });
  return role;
}

/** @throws KannukiError KNK-ARM-0009 */
function scopeOf(request: FastifyRequest): string {
  const { subscription, group, provider, type, name, innerType, innerName } = request.params as Record<string, string>;
  const outer = type === undefined || name === undefined ? [] : [{ type, name }];
  const inner = innerType === undefined || innerName === undefined ? [] : [{ type: innerType, name: innerName }];
  const text = resourceIdText({
    subscriptionId: subscription ?? '',
    resourceGroup: group ?? null,
    provider: provider ?? null,
    parts: [...outer, ...inner],
  });
  if (parseResourceId(text) === undefined) throw invalid('the scope', 'it is no id of a resource');
  return text;
}

/** `atScope()`, `principalId eq 'X'` and `assignedTo('X')`, alone or with `and`; without: at, above and below the scope. */
function filterOf(text: string | undefined, scope: string): (assignment: RoleAssignment) => boolean {
  const atScope = /\batScope\(\)/i.test(text ?? '');
  const principal = /(?:principalId\s+eq\s+|assignedTo\()'([0-9a-f-]{36})'/i.exec(text ?? '')?.[1]?.toLowerCase();
  if (text !== undefined && text.trim() !== '' && !atScope && principal === undefined) {
    throw invalid('$filter', "it takes atScope(), principalId eq '…' and assignedTo('…')");
  }
  return (assignment) => {
    if (principal !== undefined && assignment.principalId.toLowerCase() !== principal) return false;
    return scopeHolds(assignment.scope, scope) || (!atScope && scopeHolds(scope, assignment.scope));
  };
}
