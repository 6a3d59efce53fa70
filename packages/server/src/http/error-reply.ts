import { randomUUID } from 'node:crypto';
import { type ErrorDetails, KannukiError } from '@kannuki/core';
import type { FastifyError, FastifyInstance } from 'fastify';

/** Body of every answer that is not a success. Programs read `code`; the text is English and for people. */
export interface ErrorBody {
  readonly error: { readonly code: string; readonly message: string; readonly details: ErrorDetails };
}

/** What the server tells its operator: never part of an answer. */
export type OnFailure = (failure: { readonly trace: string; readonly what: string; readonly error: unknown }) => void;

/**
 * Turns every error of an app into the one shape. What is not ours is a bug: its text stays here, the answer names a
 * trace by which the operator finds it.
 */
export function replyWithErrors(
  app: FastifyInstance,
  onFailure: OnFailure,
  bodyOf: (error: KannukiError, path: string) => object = errorBody,
): void {
  handleErrors(app, onFailure, bodyOf);
  app.setNotFoundHandler(async (request, reply) => {
    const path = request.url.split('?', 1)[0] ?? '';
    const error = new KannukiError('KNK-SRV-0027', { details: { path: path.slice(0, 200) } });
    return reply.code(404).send(bodyOf(error, path));
  });
}

/** The same for a plugin that shares its app with others: paths that lead nowhere are the app's. */
export function handleErrors(
  app: FastifyInstance,
  onFailure: OnFailure,
  bodyOf: (error: KannukiError, path: string) => object,
): void {
  app.setErrorHandler(async (thrown: FastifyError, request, reply) => {
    const error = knownError(thrown);
    if (error !== undefined) {
      if (error.code === 'KNK-SRV-0006') void reply.header('retry-after', String(error.details.seconds));
      return reply.code(requestStatus(thrown) ?? error.httpStatus).send(bodyOf(error, request.url));
    }
    const trace = randomUUID();
    onFailure({ trace, what: `${request.method} ${request.routeOptions.url ?? 'unknown route'}`, error: thrown });
    return reply.code(500).send(bodyOf(new KannukiError('KNK-SRV-0018', { details: { trace } }), request.url));
  });
}

export function errorBody(error: KannukiError): ErrorBody {
  return { error: { code: error.code, message: error.describe('en'), details: error.details } };
}

function knownError(thrown: FastifyError | KannukiError): KannukiError | undefined {
  if (thrown instanceof KannukiError) return thrown;
  if (thrown.code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return new KannukiError('KNK-SRV-0024', { details: { limit: 'the allowed number of' } });
  }
  const status = requestStatus(thrown);
  if (status === undefined) return undefined;
  // Messages of the validator name places and rules, never values.
  const reason = thrown.validation === undefined ? (thrown.code ?? 'malformed') : thrown.message;
  return new KannukiError('KNK-SRV-0009', { details: { reason: reason.slice(0, 200) } });
}

/** Fastify's own refusals of a request carry their status. */
function requestStatus(thrown: FastifyError | KannukiError): number | undefined {
  if (thrown instanceof KannukiError) return undefined;
  const { statusCode } = thrown;
  return statusCode !== undefined && statusCode >= 400 && statusCode < 500 ? statusCode : undefined;
}
