import { createServer, type RequestListener, type Server } from 'node:http';
import { PassThrough } from 'node:stream';
import { type ErrorDetails, type Finding, KannukiError } from '@kannuki/core';
import type { Caller } from '@kannuki/keyvault/service/access';
import { type FastifyInstance, fastify } from 'fastify';
import type { DataPlaneFace } from '../http/data-plane-face.ts';
import { type OnFailure, replyWithErrors } from '../http/error-reply.ts';
import type { Hosts } from '../http/hosts.ts';
import { limits } from '../http/limits.ts';
import { type ArmRoutesOptions, armRoutes } from '../resources/arm/arm-routes.ts';
import { type AdminOperation, adminPath } from './contract.ts';
import type { AdminHandlers } from './operations.ts';
import { adminInputSchemas } from './schemas.ts';

/** An error whole, so that the command line can show it as its own, in the user's language. */
export interface AdminErrorBody {
  readonly error: {
    readonly code: string;
    readonly details: ErrorDetails;
    readonly findings: readonly Finding[];
  };
}

export interface AdminAppOptions {
  readonly handlers: AdminHandlers;
  readonly hosts: Hosts;
  readonly dataPlane: DataPlaneFace;
  readonly arm: Omit<ArmRoutesOptions, 'onFailure'>;
  /** Who is behind the socket. */
  readonly caller: Caller;
  readonly closing: AbortSignal;
  readonly onFailure: OnFailure;
}

/**
 * The face for the administrator of this machine, on a unix socket: who may open the socket may do everything, so
 * nothing is authorised in here. Beside its own operations it has the routes of ARM and, by the Host header of a vault,
 * the data plane: one protocol over two transports.
 */
export async function adminApp(options: AdminAppOptions): Promise<FastifyInstance> {
  const { handlers, closing, onFailure } = options;
  const app: FastifyInstance = fastify({
    serverFactory: (handler) => socketServer(byHost(options, handler)),
    bodyLimit: limits.bodyBytes,
    forceCloseConnections: true,
    routerOptions: { caseSensitive: false },
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
    genReqId: () => crypto.randomUUID(),
  });
  replyWithErrors(app, onFailure, adminErrorBody);
  await app.register(async (arm) => armRoutes(arm, { ...options.arm, onFailure }));
  for (const [operation, body] of Object.entries(adminInputSchemas)) {
    app.post<{ Body: never }>(`${adminPath}${operation}`, { schema: { body } }, async (request, reply) => {
      const lines = new PassThrough();
      const gone = new AbortController();
      reply.raw.once('close', () => gone.abort());
      void reply.code(200).type('application/x-ndjson').send(lines);
      const write = (line: object): void => {
        if (lines.writable) lines.write(`${JSON.stringify(line)}\n`);
      };
      try {
        const handler = handlers[operation as AdminOperation] as AdminHandlers[AdminOperation];
        const context = {
          progress: (progress: object) => write({ progress }),
          signal: AbortSignal.any([gone.signal, closing]),
        };
        write({ result: await handler(request.body as never, context) });
      } catch (error) {
        write(adminErrorBody(asKnown(error, request.id, operation, onFailure)));
      } finally {
        lines.end();
      }
      return reply;
    });
  }
  return app;
}

function socketServer(listener: RequestListener): Server {
  return createServer(
    {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headersMilliseconds,
      requestTimeout: limits.requestMilliseconds,
    },
    listener,
  );
}

function byHost({ hosts, dataPlane, caller }: AdminAppOptions, handler: RequestListener): RequestListener {
  return (request, response) => {
    const host = hosts.kindOf(request.headers.host);
    if (host?.kind === 'vault') void dataPlane.handle(request, response, host, caller);
    else handler(request, response);
  };
}

function adminErrorBody({ code, details, findings }: KannukiError): AdminErrorBody {
  return { error: { code, details, findings } };
}

function asKnown(error: unknown, trace: string, operation: string, onFailure: OnFailure): KannukiError {
  if (error instanceof KannukiError) return error;
  onFailure({ trace, what: operation, error });
  return new KannukiError('KNK-SRV-0018', { details: { trace } });
}
