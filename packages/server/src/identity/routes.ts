import { randomUUID } from 'node:crypto';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { OnFailure } from '../http/error-reply.ts';
import type { Enrollment } from './enrollment.ts';
import { graphRoutes } from './graph/graph-routes.ts';
import type { Identity } from './identity.ts';
import { imdsRoutes } from './managed-identity/imds-routes.ts';
import {
  type Authority,
  instanceDiscovery,
  metadataArray,
  metadataObject,
  openIdConfiguration,
} from './oauth/discovery.ts';
import type { BaseUrls } from './oauth/host-names.ts';
import { type Refusal, refusalBody, refusals } from './oauth/refusals.ts';

export interface IdentityRoutesOptions {
  readonly identity: Identity;
  /** Which VM a client certificate admits. */
  readonly enrollment: Enrollment;
  readonly onFailure: OnFailure;
}

/** A token request with an assertion under a 4096-bit key and its certificate chain has under 10 KB. */
const formBytes = 16 * 1024;

type TenantRequest = FastifyRequest<{ Params: { tenant?: string } }>;

/** What a token endpoint and its discovery, the instance metadata service and Microsoft Graph answer. To be registered at `/`. */
export async function identityRoutes(app: FastifyInstance, options: IdentityRoutesOptions): Promise<void> {
  const { identity, enrollment } = options;
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'buffer', bodyLimit: formBytes },
    async (_request: FastifyRequest, body: Buffer) => body,
  );
  answerErrorsAsOAuth(app, options);

  imdsRoutes(app, identity, enrollment);
  await app.register(async (named) => {
    named.addHook('onRequest', async (request, reply) => {
      if (identity.hostNames.baseUrls(request.headers.host) === undefined) {
        // RFC 9110, 15.5.20.
        return reply.code(421).send({ error: { code: 'MisdirectedRequest', message: 'Not a name of this server.' } });
      }
      return undefined;
    });
    discoveryRoutes(named, identity);
    tokenRoutes(named, identity);
    graphRoutes(named, identity);
  });
}

function discoveryRoutes(app: FastifyInstance, identity: Identity): void {
  const { tenantId, hostNames, signingKeys, vaultDnsSuffix } = identity;
  const urlsOf = (request: FastifyRequest): BaseUrls => {
    const urls = hostNames.baseUrls(request.headers.host);
    if (urls === undefined) throw new Error('the hook lets no other host through');
    return urls;
  };
  const configuration =
    (authority: Authority) =>
    async (request: TenantRequest, reply: FastifyReply): Promise<unknown> => {
      if (!isTenantOrAny(identity, request)) return refuse(reply, identity, refusals.unknownTenant);
      return openIdConfiguration(authority, tenantId, urlsOf(request));
    };
  const keys = async (request: TenantRequest, reply: FastifyReply): Promise<unknown> => {
    if (!isTenantOrAny(identity, request)) return refuse(reply, identity, refusals.unknownTenant);
    return { keys: await signingKeys.published() };
  };
  app.get('/adfs/.well-known/openid-configuration', configuration('adfs'));
  app.get('/adfs/:tenant/.well-known/openid-configuration', configuration('adfs'));
  app.get('/:tenant/.well-known/openid-configuration', configuration('v1'));
  app.get('/:tenant/v2.0/.well-known/openid-configuration', configuration('v2'));
  app.get('/:tenant/discovery/keys', keys);
  app.get('/:tenant/discovery/v2.0/keys', keys);

  app.get<{ Querystring: { authorization_endpoint?: unknown } }>(
    '/common/discovery/instance',
    async (request, reply) => {
      const asked = request.query.authorization_endpoint;
      const url = typeof asked === 'string' ? URL.parse(asked) : null;
      if (url === null || !hostNames.isOwnUrl(url)) return refuse(reply, identity, refusals.unknownInstance);
      const tenant = url.pathname.split('/')[1] ?? '';
      // MSAL leaves the port of the authority out, so it is put back: the one that this connection has come to.
      const port = url.port === '' ? (request.socket.localPort ?? 443) : url.port;
      const urls = hostNames.baseUrls(`${url.hostname}:${port}`);
      if (urls === undefined) return refuse(reply, identity, refusals.unknownInstance);
      return instanceDiscovery(urls.login, tenant.toLowerCase() === tenantId ? tenantId : 'common');
    },
  );

  app.get<{ Querystring: { 'api-version'?: unknown } }>('/metadata/endpoints', async (request) => {
    const version = request.query['api-version'];
    const metadata = { urls: urlsOf(request), tenantId, vaultDnsSuffix };
    const isOld = typeof version !== 'string' || version < '2019';
    return isOld ? metadataObject(metadata) : metadataArray(metadata);
  });
}

function tokenRoutes(app: FastifyInstance, identity: Identity): void {
  const answer =
    (version: 'v1' | 'v2') =>
    async (request: TenantRequest, reply: FastifyReply): Promise<unknown> => {
      if (!isTenant(identity, request)) return refuse(reply, identity, refusals.unknownTenant);
      const body = request.body instanceof Buffer ? request.body : Buffer.alloc(0);
      const { authorization } = request.headers;
      const result = await identity.tokenEndpoint.answer({ body, authorization, address: request.ip, version });
      if ('status' in result) return refuse(reply, identity, result as Refusal);
      return reply.headers(neverStored).send(result);
    };
  const options = { bodyLimit: formBytes };
  app.post('/:tenant/oauth2/v2.0/token', options, answer('v2'));
  app.post('/:tenant/oauth2/token', options, answer('v1'));
  app.post('/adfs/oauth2/token', options, answer('v1'));
  app.post('/adfs/oauth2/token/', options, answer('v1'));
}

const neverStored = { 'cache-control': 'no-store', pragma: 'no-cache' };

/** There is one tenant, and it is named by its id. */
function isTenant({ tenantId }: Identity, request: TenantRequest): boolean {
  const { tenant } = request.params;
  return tenant === undefined || tenant.toLowerCase() === tenantId;
}

/** Documents are the same for whoever does not know the tenant yet; tokens are not given so. */
function isTenantOrAny(identity: Identity, request: TenantRequest): boolean {
  return ['common', 'organizations'].includes(String(request.params.tenant)) || isTenant(identity, request);
}

/** Answers in the shape of OAuth's errors. */
function refuse(reply: FastifyReply, { now }: Pick<Identity, 'now'>, refusal: Refusal): FastifyReply {
  const traceId = randomUUID();
  const asked = reply.request.headers['client-request-id'];
  const correlationId = typeof asked === 'string' && /^[0-9a-f-]{36}$/i.test(asked) ? asked : traceId;
  void reply.headers({ ...neverStored, 'x-ms-request-id': traceId });
  if (refusal.retryAfterSeconds !== undefined) void reply.header('retry-after', String(refusal.retryAfterSeconds));
  // RFC 6749, 5.2.
  if (refusal.status === 401 && reply.request.headers.authorization !== undefined)
    void reply.header('www-authenticate', 'Basic realm="kannuki"');
  return reply.code(refusal.status).send(refusalBody(refusal, { traceId, correlationId, now: now() }));
}

/** Below `/`, so only for the routes of this plugin. */
function answerErrorsAsOAuth(app: FastifyInstance, { identity, onFailure }: IdentityRoutesOptions): void {
  app.setErrorHandler(async (error: FastifyError, request, reply) => {
    const { statusCode = 500 } = error;
    if (statusCode >= 400 && statusCode < 500) {
      return refuse(reply, identity, { ...refusals.malformed, status: statusCode });
    }
    const trace = randomUUID();
    onFailure({ trace, what: `${request.method} ${request.routeOptions.url ?? 'unknown route'}`, error });
    const text = `The server failed. Its operator finds the cause under ${trace}.`;
    return refuse(reply, identity, { status: 500, error: 'server_error', code: 50000, text });
  });
}
