import type { FastifyInstance } from 'fastify';
import { invalid } from '../arm/arm-error.ts';
import { accepted, bodyOf, callerOf, locationIn, pageOf, tagsIn } from '../arm/arm-request.ts';
import { type ArmServices, operationKinds } from '../arm/arm-services.ts';
import type { ResourceGroup } from './resource-group.ts';

const actions = 'Microsoft.Resources/subscriptions/resourceGroups';

/** Resource groups as `@azure/arm-resources` and `az group` use them. */
export function groupRoutes(app: FastifyInstance, services: ArmServices): void {
  const { groups, authorizer, operations, subscriptionId } = services;
  const collection = '/subscriptions/:subscription/resourceGroups';
  const one = `${collection}/:group`;
  interface OneGroup {
    Params: { group: string };
  }
  const shape = (group: ResourceGroup): object => ({
    id: groups.scopeOf(group.name),
    name: group.name,
    type: 'Microsoft.Resources/resourceGroups',
    location: group.location,
    tags: group.tags,
    properties: { provisioningState: group.state === 'deleting' ? 'Deleting' : 'Succeeded' },
  });

  app.get(collection, async (request) => {
    const caller = callerOf(request);
    const mayRead = ({ name }: ResourceGroup): boolean =>
      authorizer.permits(caller, `${actions}/read`, groups.scopeOf(name));
    return pageOf(request, groups.list().filter(mayRead).map(shape));
  });
  app.get<OneGroup>(one, { exposeHeadRoute: false }, async (request) => {
    const { group } = request.params;
    authorizer.require(callerOf(request), `${actions}/read`, groups.scopeOf(group));
    return shape(groups.show(group));
  });
  app.head<OneGroup>(one, async (request, reply) => {
    const { group } = request.params;
    authorizer.require(callerOf(request), `${actions}/read`, groups.scopeOf(group));
    groups.show(group);
    return reply.code(204).send();
  });
  app.put<OneGroup>(one, async (request, reply) => {
    const { group: name } = request.params;
    authorizer.require(callerOf(request), `${actions}/write`, groups.scopeOf(name));
    const body = bodyOf(request);
    const location = locationIn(body);
    if (location === undefined) throw invalid('location', 'it is missing');
    const { group, isNew } = groups.put(name, location, tagsIn(body));
    return reply.code(isNew ? 201 : 200).send(shape(group));
  });
  app.patch<OneGroup>(one, async (request) => {
    const { group } = request.params;
    authorizer.require(callerOf(request), `${actions}/write`, groups.scopeOf(group));
    const tags = tagsIn(bodyOf(request));
    return shape(tags === undefined ? groups.require(group) : groups.setTags(group, tags));
  });
  app.delete<OneGroup>(one, async (request, reply) => {
    const caller = callerOf(request);
    authorizer.require(caller, `${actions}/delete`, groups.scopeOf(request.params.group));
    const group = groups.markForRemoval(request.params.group);
    const operation = operations.start(operationKinds.deleteGroup, group.name, caller.objectId);
    const place = { subscriptionId, provider: 'Microsoft.Resources', location: group.location };
    return accepted(request, reply, operation, place);
  });
}
