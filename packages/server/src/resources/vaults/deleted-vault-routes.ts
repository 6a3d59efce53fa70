import { KannukiError } from '@kannuki/core';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { VaultRecord } from '../../vaults/vault-record.ts';
import { deletedVaultShape } from '../../vaults/vault-shape.ts';
import { invalid } from '../arm/arm-error.ts';
import { accepted, bodyOf, callerOf, isSameLocation, pageOf } from '../arm/arm-request.ts';
import { type ArmServices, operationKinds } from '../arm/arm-services.ts';

interface OneDeleted {
  Params: { location: string; vault: string };
}

/** Deleted vaults, and whether a name is free: what is asked of the subscription and not of a group. */
export function deletedVaultRoutes(app: FastifyInstance, services: ArmServices): void {
  const { registry, authorizer, operations, subscriptionId, tenantId } = services;
  const provider = '/subscriptions/:subscription/providers/Microsoft.KeyVault';
  const one = `${provider}/locations/:location/deletedVaults/:vault`;
  const scope = `/subscriptions/${subscriptionId}`;
  const shape = (vault: VaultRecord): object => deletedVaultShape({ subscriptionId, tenantId }, vault);
  const find = ({ params: { vault, location } }: FastifyRequest<OneDeleted>): VaultRecord => {
    const known = registry.findDeleted(vault);
    if (known !== undefined && isSameLocation(known.location, location)) return known;
    const details = { vault: vault.slice(0, 100), location: location.slice(0, 100) };
    throw new KannukiError('KNK-ARM-0011', { details });
  };

  app.get(`${provider}/deletedVaults`, async (request) => {
    authorizer.require(callerOf(request), 'Microsoft.KeyVault/deletedVaults/read', scope);
    return pageOf(request, registry.listDeleted().map(shape));
  });
  app.get<OneDeleted>(one, async (request) => {
    authorizer.require(callerOf(request), 'Microsoft.KeyVault/locations/deletedVaults/read', scope);
    return shape(find(request));
  });
  app.post<OneDeleted>(`${one}/purge`, async (request, reply) => {
    const caller = callerOf(request);
    authorizer.require(caller, 'Microsoft.KeyVault/locations/deletedVaults/purge/action', scope);
    const { name, location } = registry.assertPurgeable(find(request).name);
    const operation = operations.start(operationKinds.purgeVault, name, caller.objectId);
    return accepted(request, reply, operation, { subscriptionId, provider: 'Microsoft.KeyVault', location });
  });
  app.post(`${provider}/checkNameAvailability`, async (request) => {
    authorizer.require(callerOf(request), 'Microsoft.KeyVault/checkNameAvailability/read', scope);
    const { name } = bodyOf(request);
    if (typeof name !== 'string') throw invalid('name', 'it is missing');
    const taken = registry.availability(name);
    if (taken === null) return { nameAvailable: true };
    const message = `${taken.error.describe('en')}; ${taken.error.remedy('en')}`;
    return { nameAvailable: false, reason: taken.reason, message };
  });
}
