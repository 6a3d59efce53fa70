import { KannukiError, vaultResourceId } from '@kannuki/core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { mergedPolicies, type PolicyOperation, type VaultChange } from '../../vaults/vault-change.ts';
import type { VaultRecord } from '../../vaults/vault-record.ts';
import { policyShape, vaultShape } from '../../vaults/vault-shape.ts';
import { invalid } from '../arm/arm-error.ts';
import {
  apiVersionOf,
  bodyOf,
  callerOf,
  contextOf,
  isSameLocation,
  locationIn,
  objectOf,
  pageOf,
} from '../arm/arm-request.ts';
import type { ArmServices } from '../arm/arm-services.ts';
import { accessPoliciesIn, isRecovery, vaultChangeIn } from './vault-body.ts';

/** REQ-357: from this version of the API on, a new vault is governed by roles unless its maker says otherwise. */
const rbacByDefaultSince = '2026-02-01';

interface OneVault {
  Params: { group: string; vault: string };
}

/** Vaults as `@azure/arm-keyvault` and `az keyvault` use them (REQ-115 to REQ-125, REQ-350 to REQ-357). */
export function vaultRoutes(app: FastifyInstance, services: ArmServices): void {
  const { registry, groups, authorizer, subscriptionId, tenantId } = services;
  const inGroup = '/subscriptions/:subscription/resourceGroups/:group/providers/Microsoft.KeyVault/vaults';
  const one = `${inGroup}/:vault`;
  const shape = (request: FastifyRequest, vault: VaultRecord): object =>
    vaultShape({ subscriptionId, tenantId }, vault, contextOf(request).vaultSuffix);
  const permit = (
    request: FastifyRequest<OneVault>,
    verb: 'read' | 'write' | 'delete',
    action = `vaults/${verb}`,
  ): string => {
    const scope = vaultResourceId(subscriptionId, request.params.group, request.params.vault);
    authorizer.require(callerOf(request), `Microsoft.KeyVault/${action}`, scope);
    return scope;
  };
  const list = (request: FastifyRequest, group?: string): object => {
    const caller = callerOf(request);
    const mayRead = ({ resourceGroup, name }: VaultRecord): boolean =>
      authorizer.permits(
        caller,
        'Microsoft.KeyVault/vaults/read',
        vaultResourceId(subscriptionId, resourceGroup, name),
      );
    return pageOf(
      request,
      registry
        .list(group)
        .filter(mayRead)
        .map((vault) => shape(request, vault)),
    );
  };
  /** The live vault of that name in that very group. */
  const find = ({ params: { group, vault } }: FastifyRequest<OneVault>): VaultRecord | undefined => {
    const known = registry.find(vault);
    return known?.resourceGroup.toLowerCase() === group.toLowerCase() ? known : undefined;
  };
  const show = (request: FastifyRequest<OneVault>): VaultRecord => {
    const known = find(request);
    if (known !== undefined) return known;
    const { group, vault } = request.params;
    groups.show(group);
    throw new KannukiError('KNK-ARM-0002', {
      details: { resource: `Microsoft.KeyVault/vaults/${vault.slice(0, 100)}` },
    });
  };
  /** Who may not give roles may not decide either that roles, or policies, are what counts. */
  const permitModel = (request: FastifyRequest, scope: string, known: VaultRecord, { rbac }: VaultChange): void => {
    if (rbac === undefined || rbac === known.properties.rbac) return;
    if (authorizer.mayAssignAnyRole(callerOf(request), scope)) return;
    authorizer.require(callerOf(request), 'Microsoft.Authorization/roleAssignments/write', scope);
    throw invalid('enableRbacAuthorization', 'to change it takes the right to assign any role');
  };

  app.get('/subscriptions/:subscription/providers/Microsoft.KeyVault/vaults', async (request) => list(request));
  app.get<{ Params: { group: string } }>(inGroup, async (request) => {
    const { group } = request.params;
    authorizer.requireView(callerOf(request), 'Microsoft.KeyVault/vaults/read', groups.scopeOf(group));
    return list(request, groups.show(group).name);
  });
  app.get<OneVault>(one, async (request) => {
    permit(request, 'read');
    return shape(request, show(request));
  });
  app.put<OneVault>(one, async (request, reply) => {
    const scope = permit(request, 'write');
    const body = bodyOf(request);
    return isRecovery(body) ? recover(request) : createOrUpdate(request, reply, scope, body);
  });
  app.patch<OneVault>(one, async (request) => {
    const scope = permit(request, 'write');
    const known = show(request);
    const change = vaultChangeIn(bodyOf(request), tenantId);
    permitModel(request, scope, known, change);
    return shape(request, registry.update(known.name, change));
  });
  app.delete<OneVault>(one, async (request, reply) => {
    permit(request, 'delete');
    const known = find(request);
    if (known === undefined) return reply.code(204).send();
    await registry.delete(known.name);
    return reply.code(200).send();
  });
  app.put<{ Params: { group: string; vault: string; operation: string } }>(
    `${one}/accessPolicies/:operation`,
    async (request) => {
      permit(request, 'write', 'vaults/accessPolicies/write');
      const operation = policyOperationOf(request.params.operation);
      const known = show(request);
      const given = accessPoliciesIn(objectOf(bodyOf(request).properties, 'properties').accessPolicies);
      const accessPolicies = mergedPolicies(known.properties.accessPolicies, operation, given);
      const vault = registry.update(known.name, { accessPolicies });
      return {
        id: `${vaultResourceId(subscriptionId, vault.resourceGroup, vault.name)}/accessPolicies/`,
        type: 'Microsoft.KeyVault/vaults/accessPolicies',
        location: vault.location,
        properties: { accessPolicies: vault.properties.accessPolicies.map(policyShape) },
      };
    },
  );

  function recover(request: FastifyRequest<OneVault>): object {
    const { group, vault } = request.params;
    groups.require(group);
    const known = find(request);
    return shape(request, known ?? registry.recover({ name: vault, resourceGroup: group, location: 'this server' }));
  }

  async function createOrUpdate(
    request: FastifyRequest<OneVault>,
    reply: FastifyReply,
    scope: string,
    body: Readonly<Record<string, unknown>>,
  ): Promise<object> {
    const group = groups.require(request.params.group);
    const change = vaultChangeIn(body, tenantId);
    const location = locationIn(body);
    const known = find(request);
    if (known === undefined) {
      if (location === undefined) throw invalid('location', 'it is missing');
      const place = { name: request.params.vault, resourceGroup: group.name, location };
      const rbac = change.rbac ?? apiVersionOf(request) >= rbacByDefaultSince;
      const vault = await registry.create(place, { ...change, rbac }, () => void groups.require(group.name));
      return reply.code(201).send(shape(request, vault));
    }
    if (location !== undefined && !isSameLocation(location, known.location)) {
      throw new KannukiError('KNK-ARM-0014', { details: { resource: known.name, location: known.location } });
    }
    permitModel(request, scope, known, change);
    return shape(request, registry.update(known.name, change));
  }
}

function policyOperationOf(text: string): PolicyOperation {
  const operation = text.toLowerCase();
  if (operation === 'add' || operation === 'replace' || operation === 'remove') return operation;
  throw invalid('the operation on access policies', 'it is add, replace or remove');
}
