import { isGuid, KannukiError } from '@kannuki/core';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { handleErrors, type OnFailure } from '../../http/error-reply.ts';
import { authorizationRoutes } from '../authorization/authorization-routes.ts';
import { groupRoutes } from '../groups/group-routes.ts';
import { deletedVaultRoutes } from '../vaults/deleted-vault-routes.ts';
import { vaultRoutes } from '../vaults/vault-routes.ts';
import { armErrorBody, invalid } from './arm-error.ts';
import { type ArmContext, apiVersionOf, setContext } from './arm-request.ts';
import type { ArmServices } from './arm-services.ts';
import { operationRoutes } from './operation-routes.ts';
import { subscriptionRoutes } from './subscription-routes.ts';

export interface ArmRoutesOptions {
  readonly services: ArmServices;
  /** Who calls, and under which name of this server. @throws KannukiError KNK-ARM-0007 */
  readonly contextOf: (request: FastifyRequest) => Promise<ArmContext>;
  /** Value of `WWW-Authenticate` on 401. */
  readonly challenge: (request: FastifyRequest) => string;
  readonly onFailure: OnFailure;
}

/** A vault may have 1024 access policies of some 800 bytes. */
const bodyBytes = 1024 * 1024;

/**
 * The management plane, in the protocol of Azure Resource Manager. Register it where paths match without regard to
 * letter case. Every request has to have a token for the plane and an api-version.
 */
export async function armRoutes(app: FastifyInstance, options: ArmRoutesOptions): Promise<void> {
  const { services, contextOf, challenge, onFailure } = options;
  handleErrors(app, onFailure, armErrorBody);
  app.removeAllContentTypeParsers();
  // Clients name a content type without having a body, and name JSON with all sorts of parameters.
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: bodyBytes }, async (_request: unknown, body: Buffer) =>
    body.length === 0 ? undefined : parse(body),
  );
  app.addHook('onRequest', async (request, reply) => {
    void reply.header('x-ms-request-id', request.id);
    void reply.header('x-ms-correlation-request-id', correlationOf(request));
    try {
      setContext(request, await contextOf(request));
    } catch (error) {
      if (error instanceof KannukiError && error.httpStatus === 401) {
        void reply.header('www-authenticate', challenge(request));
      }
      throw error;
    }
    apiVersionOf(request);
    const names = request.params as Readonly<Record<string, string>>;
    // A slash that was escaped would stand in a scope as if it parted two names.
    if (Object.values(names).some((name) => /[/\\?#]/.test(name))) throw invalid('the path', 'a name holds a slash');
    const { subscription } = names;
    if (subscription !== undefined && subscription.toLowerCase() !== services.subscriptionId.toLowerCase()) {
      throw new KannukiError('KNK-ARM-0010', { details: { subscription: subscription.slice(0, 100) } });
    }
  });
  subscriptionRoutes(app, services);
  groupRoutes(app, services);
  vaultRoutes(app, services);
  deletedVaultRoutes(app, services);
  authorizationRoutes(app, services);
  operationRoutes(app, services);
}

function correlationOf(request: FastifyRequest): string {
  const given = request.headers['x-ms-correlation-request-id'];
  return typeof given === 'string' && isGuid(given) ? given : request.id;
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch (error) {
    throw new KannukiError('KNK-SRV-0009', { details: { reason: 'the body is no JSON' }, cause: error });
  }
}
