import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Principal } from '../../storage/principal-store.ts';
import type { Identity } from '../identity.ts';
import type { VerifiedToken } from '../tokens/token-verifier.ts';

/**
 * The two calls of Microsoft Graph that az makes to find out who it is. Any principal of the tenant may ask for one by its exact
 * id or name of service; there is no list to browse.
 */
export function graphRoutes(app: FastifyInstance, identity: Identity): void {
  const guarded =
    (answer: (request: FastifyRequest, reply: FastifyReply, token: VerifiedToken) => unknown) =>
    async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
      const bearer = /^bearer +([^ ]+)$/i.exec(request.headers.authorization ?? '')?.[1];
      const token = bearer === undefined ? undefined : await identity.verifier.verify(bearer, 'graph');
      void reply.header('cache-control', 'no-store');
      if (token !== undefined) return answer(request, reply, token);
      void reply.header('www-authenticate', 'Bearer realm="", error="invalid_token"');
      return refuse(reply, 401, 'InvalidAuthenticationToken', 'Access token is missing, invalid or over.');
    };

  app.get(
    '/v1.0/me',
    guarded((_request, reply) =>
      refuse(reply, 400, 'BadRequest', '/me request is only valid with delegated authentication flow.'),
    ),
  );

  app.get(
    '/v1.0/servicePrincipals',
    guarded((request, reply) => {
      const filter = (request.query as Record<string, unknown>).$filter;
      const find = typeof filter === 'string' ? parseFilter(filter) : undefined;
      if (find === undefined) return refuse(reply, 400, 'Request_UnsupportedQuery', 'Unsupported or missing $filter.');
      const found =
        find.by === 'id' ? identity.principals.byObjectId(find.value) : identity.principals.byAppId(find.value);
      return {
        '@odata.context': 'https://graph.microsoft.com/v1.0/$metadata#servicePrincipals',
        value: found === undefined ? [] : [shapeOf(found)],
      };
    }),
  );

  app.get(
    '/v1.0/servicePrincipals/:id',
    guarded((request, reply) => {
      const { id } = request.params as { id: string };
      const found = identity.principals.byObjectId(id);
      if (found !== undefined) return shapeOf(found);
      return refuse(reply, 404, 'Request_ResourceNotFound', 'The resource does not exist.');
    }),
  );
}

/** `servicePrincipalNames/any(c:c eq 'X')`, `appId eq 'X'`, `id eq 'X'`. */
function parseFilter(filter: string): { readonly by: 'id' | 'appId'; readonly value: string } | undefined {
  const any = /^servicePrincipalNames\/any\(\s*(\w{1,20})\s*:\s*\1\s+eq\s+'([^']{1,200})'\s*\)$/i.exec(filter.trim());
  if (any?.[2] !== undefined) return { by: 'appId', value: any[2] };
  const equal = /^(appId|id)\s+eq\s+'([^']{1,200})'$/i.exec(filter.trim());
  if (equal?.[2] === undefined) return undefined;
  return { by: equal[1]?.toLowerCase() === 'id' ? 'id' : 'appId', value: equal[2] };
}

function shapeOf({ objectId, appId, displayName, kind, enabled }: Principal): object {
  return {
    id: objectId,
    appId,
    displayName,
    appDisplayName: displayName,
    accountEnabled: enabled,
    servicePrincipalNames: [appId],
    servicePrincipalType: kind === 'application' ? 'Application' : 'ManagedIdentity',
  };
}

function refuse(reply: FastifyReply, status: number, code: string, message: string): FastifyReply {
  return reply.code(status).send({ error: { code, message } });
}
