import {
  type AgentStatus,
  type Goal,
  type JoinRequest,
  KannukiError,
  maximumGoalWaitSeconds,
  type RenewRequest,
} from '@kannuki/core';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { limits } from '../http/limits.ts';
import type { Enrollment } from '../identity/enrollment.ts';
import type { VmStore } from '../storage/vm-store.ts';
import type { EncryptionService } from '../vms/encryption-service.ts';
import type { KeyVolumeKeeper } from '../vms/key-volume-keeper.ts';
import { requireVm } from './client-certificate.ts';
import {
  AgentStatusSchema,
  AuthorityReplySchema,
  ErrorSchema,
  GoalSchema,
  JoinReplySchema,
  JoinRequestSchema,
  RenewRequestSchema,
} from './schemas.ts';
import { type VaultRoutesOptions, vaultRoutes } from './vault-routes.ts';

export interface AgentRoutesOptions extends Omit<VaultRoutesOptions, 'vmIdOf'> {
  readonly enrollment: Enrollment;
  readonly encryption: EncryptionService;
  readonly keyVolumes: KeyVolumeKeeper;
  readonly vms: VmStore;
  /** Aborts when the server ends: long polls are answered then. */
  readonly closing: AbortSignal;
}

const refusals = { '4xx': ErrorSchema, '5xx': ErrorSchema };

/** `/agent/v1`: what agents in VMs call. All but `authority` and `join` need a certificate of ours. */
export async function agentRoutes(app: FastifyInstance, options: AgentRoutesOptions): Promise<void> {
  const { enrollment } = options;

  app.get('/authority', { schema: { response: { 200: AuthorityReplySchema, ...refusals } } }, async () => ({
    authority: enrollment.authority,
  }));

  app.post<{ Body: JoinRequest }>(
    '/join',
    { schema: { body: JoinRequestSchema, response: { 200: JoinReplySchema, ...refusals } } },
    async (request) => enrollment.join({ ...request.body, address: request.ip }),
  );

  await app.register(async (members) => memberRoutes(members, options));
}

async function memberRoutes(app: FastifyInstance, options: AgentRoutesOptions): Promise<void> {
  const { enrollment, encryption, keyVolumes, vms } = options;
  const vmIds = new WeakMap<FastifyRequest, string>();
  const vmIdOf = (request: FastifyRequest): string => {
    const vmId = vmIds.get(request);
    if (vmId === undefined) throw new KannukiError('KNK-SRV-0007');
    return vmId;
  };
  // Before the body is read: who is nobody sends us nothing.
  app.addHook('onRequest', async (request) => {
    vmIds.set(request, requireVm(request.raw, enrollment));
  });

  app.post<{ Body: RenewRequest }>(
    '/renew',
    { schema: { body: RenewRequestSchema, response: { 200: JoinReplySchema, ...refusals } } },
    async (request) => enrollment.renew(vmIdOf(request), request.body.certificateSigningRequest),
  );

  app.get<{ Querystring: { after?: unknown; wait?: unknown } }>(
    '/goal',
    { schema: { response: { 200: GoalSchema, ...refusals } } },
    async (request, reply) => {
      const vmId = vmIdOf(request);
      const after = wholeNumber(request.query.after, 'after', Number.MAX_SAFE_INTEGER);
      const seconds = wholeNumber(request.query.wait, 'wait', maximumGoalWaitSeconds);
      const gone = new AbortController();
      reply.raw.once('close', () => gone.abort());
      const signal = AbortSignal.any([gone.signal, options.closing]);
      const goal = await encryption.waitForGoal(vmId, after, seconds * 1000, signal);
      const vm = vms.byId(vmId);
      if (goal === undefined || vm === undefined) return reply.code(204).send();
      return { ...goal, keyVolume: { fileSystemUuid: vm.keyVolumeId } } satisfies Goal;
    },
  );

  app.put<{ Body: AgentStatus }>(
    '/status',
    { bodyLimit: limits.statusBytes, schema: { body: AgentStatusSchema, response: refusals } },
    async (request, reply) => {
      const vmId = vmIdOf(request);
      encryption.record(vmId, request.body);
      await keyVolumes.onStatus(vmId, request.body);
      return reply.code(204).send();
    },
  );

  await app.register(async (vault) => vaultRoutes(vault, { ...options, vmIdOf }));
}

/** Query values are text; left out means 0. */
function wholeNumber(value: unknown, name: string, maximum: number): number {
  if (value === undefined) return 0;
  const number = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : Number.NaN;
  if (number <= maximum) return number;
  throw new KannukiError('KNK-SRV-0009', { details: { reason: `${name} must be a whole number up to ${maximum}` } });
}
