import type { Server } from 'node:https';
import { type FastifyInstance, fastify } from 'fastify';
import { type OnFailure, replyWithErrors } from '../http/error-reply.ts';
import { limits } from '../http/limits.ts';
import type { ServerCertificate } from '../identity/server-certificate.ts';
import { type AgentRoutesOptions, agentRoutes } from './routes.ts';

export interface AgentAppOptions extends AgentRoutesOptions {
  readonly certificate: ServerCertificate;
  /** PEM: whose client certificates are looked at. */
  readonly authority: string;
  readonly onFailure: OnFailure;
}

/** The HTTPS face of the server. Other faces (ARM, Key Vault, OAuth) become plugins beside `agentRoutes`. */
export async function agentApp(options: AgentAppOptions): Promise<FastifyInstance<Server>> {
  const app: FastifyInstance<Server> = fastify({
    https: {
      ...tlsOptions(options.certificate, options.authority),
      requestCert: true,
      // Who has no certificate may still join; who needs one is asked in the routes.
      rejectUnauthorized: false,
      minVersion: 'TLSv1.3',
      handshakeTimeout: limits.handshakeMilliseconds,
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headersMilliseconds,
      connectionsCheckingInterval: limits.checkMilliseconds,
    },
    bodyLimit: limits.bodyBytes,
    requestTimeout: limits.requestMilliseconds,
    connectionTimeout: limits.idleMilliseconds,
    keepAliveTimeout: limits.keepAliveMilliseconds,
    maxRequestsPerSocket: limits.requestsPerConnection,
    forceCloseConnections: 'idle',
    trustProxy: false,
    // What is not in the contract is refused, not repaired.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, allErrors: false } },
    genReqId: () => crypto.randomUUID(),
  });
  app.server.maxConnections = limits.connections;
  replyWithErrors(app as unknown as FastifyInstance, options.onFailure);
  await app.register(async (agents) => agentRoutes(agents as unknown as FastifyInstance, options), {
    prefix: '/agent/v1',
  });
  return app;
}

/** What a renewed certificate is put into the running server with. */
export function tlsOptions(
  certificate: ServerCertificate,
  authority: string,
): { key: string; cert: string; ca: string } {
  return { key: certificate.key, cert: certificate.chain, ca: authority };
}
