import type { IncomingMessage } from 'node:http';
import { isVaultCall, KannukiError, vaultBodyLimitBytes } from '@kannuki/core';
import {
  AuditedVault,
  type AuditPort,
  auditedOperations,
  vaultCallRecord,
  vaultRequestHandler,
} from '@kannuki/keyvault';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { OnFailure } from '../http/error-reply.ts';
import type { OwnershipStore } from '../storage/ownership-store.ts';
import type { VaultService } from '../vaults/vault-service.ts';
import { VmVault } from '../vaults/vm-vault.ts';

export interface VaultRoutesOptions {
  readonly vaults: VaultService;
  readonly ownership: OwnershipStore;
  readonly audit: AuditPort;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly vmIdOf: (request: FastifyRequest) => string;
  readonly onFailure: OnFailure;
}

/**
 * `POST /vault/CALL?vault=NAME`: an agent's calls of its vault. Bodies hold secrets, so they stay bytes from the socket to
 * the vault, are wiped when they were used, and are never parsed as JSON strings. Each call of a member is in the audit log before its
 * answer leaves, refusals too.
 */
export async function vaultRoutes(app: FastifyInstance, options: VaultRoutesOptions): Promise<void> {
  const { vaults, ownership, audit, now, vmIdOf, onFailure } = options;
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser('application/json', (_request: FastifyRequest, payload: IncomingMessage) =>
    collect(payload),
  );

  app.post<{ Params: { call: string }; Querystring: { vault?: unknown }; Body: Buffer }>(
    '/vault/:call',
    async (request, reply) => {
      const { vault: vaultName } = request.query;
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const { call } = request.params;
      const vmId = vmIdOf(request);
      const caller = { objectId: `vm:${vmId}`, applicationId: null, address: request.ip };
      /** A refusal that came before the vault was called. */
      const recordRefusal = (error: unknown): Promise<void> => {
        const operation = isVaultCall(call) ? auditedOperations[call] : 'Unknown';
        const vault = typeof vaultName === 'string' && vaultNameShape.test(vaultName) ? vaultName : '';
        const facts = { time: now(), requestId: request.id, caller, vault, operation, id: '', error };
        return audit.append(vaultCallRecord(facts));
      };
      let vault: AuditedVault;
      try {
        if (typeof vaultName !== 'string') {
          throw new KannukiError('KNK-SRV-0009', { details: { reason: 'the query names no vault' } });
        }
        const ofVm = new VmVault({ vmId, vaultName, vaults, ownership });
        vault = new AuditedVault({ vault: ofVm, audit, caller, requestId: request.id, now });
      } catch (error) {
        // The handler, which would have wiped the body, is not reached.
        body.fill(0);
        await recordRefusal(error);
        throw error;
      }
      const answer = await vaultRequestHandler(vault, call, body);
      if (vault.calls === 0) await recordRefusal(answer.failure);
      if (answer.status >= 500) {
        onFailure({ trace: request.id, what: `vault call ${call.slice(0, 40)}`, error: nameOnly(answer.failure) });
      }
      reply.raw.once('close', () => answer.body.fill(0));
      return reply.code(answer.status).type('application/json').send(answer.body);
    },
  );
}

/** Anything else is no name of a vault, and could be anything. */
const vaultNameShape = /^[a-z0-9-]{1,24}$/i;

/** The text of a foreign exception may quote the request, and the request holds the passphrase. */
function nameOnly(failure: unknown): unknown {
  if (failure instanceof KannukiError) return failure;
  if (!(failure instanceof Error)) return new Error('a vault driver threw what is no error');
  const { code } = failure as NodeJS.ErrnoException;
  return new Error(`a vault driver threw ${failure.name} ${code ?? ''}`);
}

/** Reads a body into one piece of memory and wipes the pieces that it came in. */
async function collect(payload: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  try {
    for await (const piece of payload as AsyncIterable<Buffer>) {
      pieces.push(piece);
      size += piece.length;
      if (size > vaultBodyLimitBytes) {
        throw new KannukiError('KNK-SRV-0024', { details: { limit: vaultBodyLimitBytes } });
      }
    }
    return Buffer.concat(pieces);
  } finally {
    for (const piece of pieces) piece.fill(0);
  }
}
