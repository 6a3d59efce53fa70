import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { SecureContext } from 'node:tls';
import { KannukiError } from '@kannuki/core';
import { type FastifyInstance, fastify } from 'fastify';
import type { DataPlaneFace } from '../http/data-plane-face.ts';
import { errorBody, type OnFailure, replyWithErrors } from '../http/error-reply.ts';
import { type Hosts, isPathOf } from '../http/hosts.ts';
import { limits } from '../http/limits.ts';
import { type IdentityRoutesOptions, identityRoutes } from '../identity/routes.ts';
import type { ServerCertificate } from '../identity/server-certificate.ts';
import { armError } from '../resources/arm/arm-error.ts';
import { type ArmRoutesOptions, armRoutes } from '../resources/arm/arm-routes.ts';
import { type AgentRoutesOptions, agentRoutes } from './routes.ts';

export interface AgentAppOptions extends AgentRoutesOptions {
  readonly certificate: ServerCertificate;
  /** PEM: whose client certificates are looked at. */
  readonly authority: string;
  /** Another certificate for some names that clients ask for (SNI); undefined: the server's own. */
  readonly certificateFor: (serverName: string) => SecureContext | undefined;
  readonly hosts: Hosts;
  readonly dataPlane: DataPlaneFace;
  readonly identity: IdentityRoutesOptions['identity'];
  readonly arm: Omit<ArmRoutesOptions, 'onFailure'>;
  readonly onFailure: OnFailure;
}

/**
 * The HTTPS face of the server: one listener for all of it, sorted by Host. Vaults go past Fastify to the data plane; agents,
 * Azure Resource Manager and identity are plugins beside each other.
 */
export async function agentApp(options: AgentAppOptions): Promise<FastifyInstance<Server>> {
  const { onFailure, hosts, dataPlane } = options;
  const app: FastifyInstance<Server> = fastify({
    serverFactory: (handler) => httpsServer(options, byHost(hosts, dataPlane, handler)),
    bodyLimit: limits.bodyBytes,
    forceCloseConnections: 'idle',
    trustProxy: false,
    routerOptions: { caseSensitive: false },
    // What is not in the contract is refused, not repaired.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, allErrors: false } },
    genReqId: () => crypto.randomUUID(),
  });
  const plain = app as unknown as FastifyInstance;
  replyWithErrors(plain, onFailure, bodyByPath);
  await plain.register(async (agents) => agentRoutes(agents, options), { prefix: '/agent/v1' });
  const { identity, enrollment } = options;
  await plain.register(async (routes) => identityRoutes(routes, { identity, enrollment, onFailure }));
  await plain.register(async (arm) => armRoutes(arm, { ...options.arm, onFailure }));
  return app;
}

/** What a renewed certificate is put into the running server with. */
export function tlsOptions(
  certificate: ServerCertificate,
  authority: string,
): { key: string; cert: string; ca: string } {
  return { key: certificate.key, cert: certificate.chain, ca: authority };
}

function httpsServer({ certificate, authority, certificateFor }: AgentAppOptions, listener: RequestListener): Server {
  const server = createServer(
    {
      ...tlsOptions(certificate, authority),
      requestCert: true,
      // Who has no certificate may still join; who needs one is asked in the routes.
      rejectUnauthorized: false,
      minVersion: 'TLSv1.3',
      handshakeTimeout: limits.handshakeMilliseconds,
      SNICallback: (name, done) => done(null, certificateFor(name.toLowerCase())),
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headersMilliseconds,
      requestTimeout: limits.requestMilliseconds,
      keepAliveTimeout: limits.keepAliveMilliseconds,
      connectionsCheckingInterval: limits.checkMilliseconds,
      noDelay: true,
    },
    listener,
  );
  server.setTimeout(limits.idleMilliseconds);
  server.maxRequestsPerSocket = limits.requestsPerConnection;
  server.maxConnections = limits.connections;
  return server;
}

/** Agents read our own shape of errors; everybody else comes with a client of Azure. */
function bodyByPath(error: KannukiError, path: string): object {
  return path.toLowerCase().startsWith('/agent/') ? errorBody(error) : { error: armError(error) };
}

function byHost(hosts: Hosts, dataPlane: DataPlaneFace, handler: RequestListener): RequestListener {
  return (request, response) => {
    const host = hosts.kindOf(request.headers.host);
    const url = request.url ?? '';
    // Only a path is understood: the host is the header's.
    if (host === undefined || !url.startsWith('/')) misdirected(request, response);
    else if (host.kind === 'vault') void dataPlane.handle(request, response, host, null);
    else if (isPathOf(host.kind, url)) handler(request, response);
    else misdirected(request, response);
  };
}

/** RFC 9110, 15.5.20. */
function misdirected(request: IncomingMessage, response: ServerResponse): void {
  const host = JSON.stringify((request.headers.host ?? '').slice(0, 100));
  const body = JSON.stringify({ error: armError(new KannukiError('KNK-ARM-0017', { details: { host } })) });
  response.writeHead(421, { 'content-type': 'application/json; charset=utf-8' }).end(body);
}
