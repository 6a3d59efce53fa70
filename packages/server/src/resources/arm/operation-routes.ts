import { KannukiError } from '@kannuki/core';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { callerOf } from './arm-request.ts';
import type { ArmServices } from './arm-services.ts';
import type { Operation } from './operations.ts';

/** Where an operation stands: `operations` tells it, `operationResults` answers 202 until it has ended. */
export function operationRoutes(app: FastifyInstance, services: ArmServices): void {
  const { operations, authorizer, subscriptionId } = services;
  const find = (request: FastifyRequest): Operation => {
    const { id } = request.params as { id: string };
    const operation = operations.find(id);
    const caller = callerOf(request);
    const isOwn = operation?.startedBy === caller.objectId;
    const mayRead =
      isOwn || authorizer.permits(caller, 'Microsoft.Resources/subscriptions/operationresults/read', scope);
    if (operation !== undefined && mayRead) return operation;
    throw new KannukiError('KNK-ARM-0002', { details: { resource: `operations/${id.slice(0, 100)}` } });
  };
  const scope = `/subscriptions/${subscriptionId}`;
  for (const place of ['', '/locations/:location']) {
    const under = `/subscriptions/:subscription/providers/:provider${place}`;
    app.get(`${under}/operations/:id`, async (request, reply) => {
      const { id, status, error, startedAt, endedAt } = find(request);
      if (status === 'InProgress') void reply.header('retry-after', '1');
      return {
        id: request.url.split('?', 1)[0],
        name: id,
        status,
        startTime: new Date(startedAt).toISOString(),
        ...(endedAt === null ? {} : { endTime: new Date(endedAt).toISOString() }),
        ...(error === null ? {} : { error }),
      };
    });
    app.get(`${under}/operationResults/:id`, async (request, reply) => {
      const { status, error } = find(request);
      if (status === 'InProgress') {
        return reply.code(202).header('retry-after', '1').header('location', request.url).send();
      }
      return error === null ? reply.code(200).send() : reply.code(409).send({ error });
    });
  }
}
