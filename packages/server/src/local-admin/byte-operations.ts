import { KannukiError, SecretBytes } from '@kannuki/core';
import type { RekeyTarget, SealableVaults, SealState } from '@kannuki/keyvault';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { adminPath } from './contract.ts';

/**
 * Operations with a passphrase or PIN: the body of the request is that secret, as bytes (`application/octet-stream`, may be
 * empty), and never a member of a JSON object, which would become a string that nobody can wipe. What else there is
 * stands in the query. The answer is as that of the other operations.
 */
export interface AdminByteOperations {
  'server-unseal': { query: Record<never, never>; result: SealState };
  'server-rekey': { query: { to: RekeyTarget }; result: SealState };
}

export type AdminByteOperation = keyof AdminByteOperations;

/** A passphrase has at most 1024 bytes (with a line end that the client should have taken away). */
export const secretBodyBytes = 1026;

const querySchemas = {
  'server-unseal': { type: 'object', additionalProperties: false },
  'server-rekey': {
    type: 'object',
    additionalProperties: false,
    required: ['to'],
    properties: { to: { enum: ['file', 'passphrase', 'pkcs11'] } },
  },
} as const satisfies Record<AdminByteOperation, object>;

export type AdminByteHandlers = {
  readonly [Operation in AdminByteOperation]: (
    secret: SecretBytes | undefined,
    query: AdminByteOperations[Operation]['query'],
  ) => Promise<AdminByteOperations[Operation]['result']>;
};

export function adminByteHandlers(vaults: SealableVaults): AdminByteHandlers {
  return {
    async 'server-unseal'(secret) {
      await vaults.unseal(secret);
      return vaults.state();
    },
    async 'server-rekey'(secret, { to }) {
      await vaults.rekey(to, secret);
      return vaults.state();
    },
  };
}

/** Adds the routes, with a parser of their own: nowhere else may a body be bytes. */
export function addByteOperations(
  app: FastifyInstance,
  handlers: AdminByteHandlers,
  answer: (request: FastifyRequest, operation: string, work: () => Promise<unknown>) => Promise<string>,
): void {
  void app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('application/octet-stream', (_request: FastifyRequest, payload: AsyncIterable<Buffer>) =>
      readSecret(payload),
    );
    for (const operation of ['server-unseal', 'server-rekey'] as const) {
      const schema = { querystring: querySchemas[operation] };
      scope.post<{ Querystring: object }>(`${adminPath}${operation}`, { schema }, async (request, reply) => {
        using secret = request.body instanceof SecretBytes ? request.body : undefined;
        const given = secret === undefined || secret.length === 0 ? undefined : secret;
        const lines = await answer(request, operation, () => handlers[operation](given, request.query as never));
        return await reply.code(200).type('application/x-ndjson').send(lines);
      });
    }
  });
}

/** Collects a body in one place and wipes the pieces that it came in. */
async function readSecret(payload: AsyncIterable<Buffer>): Promise<SecretBytes> {
  const whole = SecretBytes.take(Buffer.alloc(secretBodyBytes));
  let length = 0;
  for await (const chunk of payload) {
    const fits = length + chunk.length <= secretBodyBytes;
    if (fits) whole.bytes.set(chunk, length);
    chunk.fill(0);
    length += chunk.length;
    if (fits) continue;
    whole[Symbol.dispose]();
    throw new KannukiError('KNK-SRV-0024', { details: { limit: secretBodyBytes } });
  }
  const secret = SecretBytes.copy(whole.bytes.subarray(0, length));
  whole[Symbol.dispose]();
  return secret;
}
