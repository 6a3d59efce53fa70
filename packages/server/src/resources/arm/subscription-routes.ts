import { vaultResourceId } from '@kannuki/core';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { invalid } from './arm-error.ts';
import { callerOf, pageOf, queryOf } from './arm-request.ts';
import type { ArmServices } from './arm-services.ts';

interface GenericResource {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly location: string;
  readonly resourceGroup: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** The one subscription and tenant of this server, what is in it, and what kinds of things may be. */
export function subscriptionRoutes(app: FastifyInstance, services: ArmServices): void {
  const { subscriptionId, tenantId, location, authorizer, groups } = services;
  const scope = `/subscriptions/${subscriptionId}`;
  const subscription = {
    id: scope,
    subscriptionId,
    tenantId,
    displayName: 'Kannuki',
    state: 'Enabled',
    subscriptionPolicies: { locationPlacementId: 'Public_2014-09-01', quotaId: 'Kannuki', spendingLimit: 'Off' },
    authorizationSource: 'RoleBased',
    managedByTenants: [],
  };
  app.get('/subscriptions', async (request) => ({
    // Who has a role anywhere in it sees that it is there.
    value: authorizer.knows(callerOf(request), scope) ? [subscription] : [],
  }));
  app.get('/subscriptions/:subscription', async (request) => {
    const caller = callerOf(request);
    if (!authorizer.knows(caller, scope)) authorizer.require(caller, 'Microsoft.Resources/subscriptions/read', scope);
    return subscription;
  });
  app.get('/subscriptions/:subscription/locations', async (request) => {
    const caller = callerOf(request);
    if (!authorizer.knows(caller, scope)) authorizer.require(caller, 'Microsoft.Resources/subscriptions/read', scope);
    const [id, metadata] = [`${scope}/locations/${location}`, { regionType: 'Physical' }];
    return { value: [{ id, name: location, displayName: location, regionalDisplayName: location, metadata }] };
  });
  app.get('/tenants', async () => ({
    value: [{ id: `/tenants/${tenantId}`, tenantId, displayName: 'Kannuki', tenantCategory: 'Home' }],
  }));

  const resources = (request: FastifyRequest, group: string | undefined): object => {
    const matches = filterOf(queryOf(request, '$filter'));
    const caller = callerOf(request);
    const mayRead = ({ type, id }: GenericResource): boolean => authorizer.permits(caller, `${type}/read`, id);
    const found = allResources(services, group).filter(matches).filter(mayRead);
    return pageOf(
      request,
      found.map(({ resourceGroup: _group, ...shown }) => shown),
    );
  };
  app.get('/subscriptions/:subscription/resources', async (request) => resources(request, undefined));
  app.get<{ Params: { group: string } }>(
    '/subscriptions/:subscription/resourceGroups/:group/resources',
    async (request) => {
      const { group } = request.params;
      const action = 'Microsoft.Resources/subscriptions/resourceGroups/resources/read';
      authorizer.requireView(callerOf(request), action, groups.scopeOf(group));
      return resources(request, groups.show(group).name);
    },
  );

  app.get('/subscriptions/:subscription/providers', async () => ({ value: Object.keys(providers).map(providerShape) }));
  app.get<{ Params: { provider: string } }>('/subscriptions/:subscription/providers/:provider', async (request) =>
    providerShape(request.params.provider),
  );
  app.post<{ Params: { provider: string } }>(
    '/subscriptions/:subscription/providers/:provider/register',
    async (request) => providerShape(request.params.provider),
  );

  function providerShape(wanted: string): object {
    const name = Object.keys(providers).find((known) => known.toLowerCase() === wanted.toLowerCase()) ?? wanted;
    const types = providers[name] ?? [];
    return {
      id: `${scope}/providers/${name}`,
      namespace: name,
      registrationState: types.length === 0 ? 'NotRegistered' : 'Registered',
      registrationPolicy: 'RegistrationRequired',
      resourceTypes: types.map((resourceType) => ({
        resourceType,
        locations: [],
        apiVersions: ['2026-02-01', '2023-07-01', '2022-07-01', '2016-10-01'],
      })),
    };
  }
}

const providers: Readonly<Record<string, readonly string[]>> = {
  'Microsoft.KeyVault': ['vaults', 'deletedVaults', 'locations/deletedVaults', 'locations/operationResults'],
  'Microsoft.Resources': ['resourceGroups', 'subscriptions'],
  'Microsoft.Authorization': ['roleAssignments', 'roleDefinitions'],
  'Microsoft.Compute': ['virtualMachines'],
};

function allResources(services: ArmServices, group: string | undefined): readonly GenericResource[] {
  const { subscriptionId, registry, vmStore } = services;
  const vaults = registry.list(group).map(
    ({ name, resourceGroup, location, tags }): GenericResource => ({
      id: vaultResourceId(subscriptionId, resourceGroup, name),
      name,
      type: 'Microsoft.KeyVault/vaults',
      location,
      resourceGroup,
      tags,
    }),
  );
  const vms = vmStore
    .list(group)
    .filter(({ state }) => state === 'ready')
    .map(
      ({ name, resourceGroup, model }): GenericResource => ({
        id: `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.Compute/virtualMachines/${name}`,
        name,
        type: 'Microsoft.Compute/virtualMachines',
        location: model.location,
        resourceGroup,
        tags: {},
      }),
    );
  return [...vaults, ...vms];
}

const comparison = /^\s*(resourceType|name|location|resourceGroup)\s+eq\s+'([^']{0,300})'\s*$/i;

/** `resourceType eq 'X' and name eq 'Y'`: what `az` and the SDKs send. @throws KannukiError KNK-ARM-0009 for anything else */
function filterOf(text: string | undefined): (resource: GenericResource) => boolean {
  if (text === undefined || text.trim() === '') return () => true;
  const parts = text.slice(0, 2000).split(/\s+and\s+/i);
  const wanted = parts.map((part) => {
    const [, field = '', value = ''] = comparison.exec(part) ?? [];
    if (field === '')
      throw invalid('$filter', "it takes resourceType, name, location and resourceGroup eq '…', with and");
    return { field: field.toLowerCase(), value: value.toLowerCase() };
  });
  return ({ type, name, location, resourceGroup }) => {
    const fields: Readonly<Record<string, string>> = {
      resourcetype: type,
      name,
      location,
      resourcegroup: resourceGroup,
    };
    return wanted.every(({ field, value }) => fields[field]?.toLowerCase() === value);
  };
}
