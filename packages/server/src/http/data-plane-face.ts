import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { hasCode } from '@kannuki/core';
import { bodyLimitFor } from '@kannuki/keyvault/rest/data-plane';
import type { Caller } from '@kannuki/keyvault/service/access';
import type { AuditPort } from '@kannuki/keyvault/service/audit-port';
import type { DataPlanePort } from '@kannuki/keyvault/service/data-plane-call';
import type { TokenVerifier } from '../identity/tokens/token-verifier.ts';
import type { OnFailure } from './error-reply.ts';
import type { HostKind } from './hosts.ts';
import { bearerToken, peerAddress } from './peer.ts';

export interface DataPlaneFaceOptions {
  readonly dataPlane: DataPlanePort;
  readonly audit: AuditPort;
  readonly verifier: TokenVerifier;
  readonly tenantId: string;
  /** `https://HOST:PORT` where tokens are had, for hosts that are not Azure's. */
  readonly loginUrl: () => string;
  readonly now: () => number;
  readonly onFailure: OnFailure;
}

export type VaultHost = Extract<HostKind, { kind: 'vault' }>;

/**
 * The way of vaults from HTTP to the data plane. No framework: bodies hold secrets and stay bytes, and an unwrap has to
 * cost little more than its RSA. Nothing of a request is read before its token is found good.
 */
export class DataPlaneFace {
  readonly #options: DataPlaneFaceOptions;

  constructor(options: DataPlaneFaceOptions) {
    this.#options = options;
  }

  /** Never throws. @param caller null: found out by the request's token */
  async handle(
    request: IncomingMessage,
    response: ServerResponse,
    host: VaultHost,
    caller: Caller | null,
  ): Promise<void> {
    const requestId = randomUUID();
    try {
      const known = caller ?? (await this.#authenticate(request, response, host, requestId));
      if (known !== undefined) await this.#answer(request, response, host, known, requestId);
    } catch (error) {
      this.#options.onFailure({ trace: requestId, what: 'a call of the data plane', error });
      refuse(response, requestId, 500, 'InternalError', 'The request failed inside.');
    }
  }

  async #authenticate(
    request: IncomingMessage,
    response: ServerResponse,
    host: VaultHost,
    requestId: string,
  ): Promise<Caller | undefined> {
    const { verifier, audit, now, onFailure } = this.#options;
    const token = bearerToken(request);
    const address = peerAddress(request);
    const verified = token === undefined ? undefined : await verifier.verify(token, 'vault');
    if (verified !== undefined) {
      const { objectId, applicationId, tenantId } = verified;
      return { objectId, applicationId, tenantId, address, isLocalAdministrator: false };
    }
    // A call without any token is how every client begins; one with a wrong token is worth a line.
    if (token !== undefined) {
      try {
        await audit.append({
          time: now(),
          requestId,
          operation: 'Authentication',
          vault: host.vault,
          object: null,
          objectId: null,
          applicationId: null,
          address,
          status: 401,
          error: 'Unauthorized',
        });
      } catch (error) {
        if (!isSealed(error)) onFailure({ trace: requestId, what: 'the audit record of a refused token', error });
        refuse(response, requestId, 503, 'ServiceUnavailable', 'The call cannot be put on record.');
        return undefined;
      }
    }
    response.setHeader('www-authenticate', this.#challenge(host, token !== undefined));
    refuse(response, requestId, 401, 'Unauthorized', 'AKV10000: Request is missing a valid Bearer token.');
    return undefined;
  }

  /** REQ-321. */
  #challenge({ suffix, isAzure }: VaultHost, isInvalid: boolean): string {
    const { tenantId, loginUrl } = this.#options;
    const login = isAzure ? 'https://login.microsoftonline.com' : loginUrl();
    const error = isInvalid ? ', error="invalid_token"' : '';
    return `Bearer authorization="${login}/${tenantId}", resource="https://${suffix}"${error}`;
  }

  async #answer(
    request: IncomingMessage,
    response: ServerResponse,
    host: VaultHost,
    caller: Caller,
    requestId: string,
  ): Promise<void> {
    const url = request.url ?? '/';
    const mark = url.indexOf('?');
    const path = mark < 0 ? url : url.slice(0, mark);
    const { method = 'GET' } = request;
    const body = await readBody(request, bodyLimitFor(method, path));
    if (body === 'too long') {
      response.setHeader('connection', 'close');
      refuse(response, requestId, 413, 'RequestEntityTooLarge', 'The body is too long.');
      return;
    }
    // Who has gone in the middle of a body gets no answer.
    if (body === 'cut') return;
    const reply = await this.#options.dataPlane.handle({
      method,
      vaultName: host.vault,
      baseUrl: `https://${host.vault}.${host.suffix}`,
      path,
      query: mark < 0 ? '' : url.slice(mark + 1),
      body,
      caller,
      requestId,
    });
    if (reply.failure !== undefined && !isSealed(reply.failure)) {
      this.#options.onFailure({ trace: requestId, what: `${method} of a vault`, error: reply.failure });
    }
    if (response.destroyed) {
      reply.body.fill(0);
      return;
    }
    response.once('close', () => reply.body.fill(0));
    response.writeHead(reply.status, { ...reply.headers, 'content-length': reply.body.length });
    response.end(reply.body);
  }
}

/** Into one piece of memory; the pieces that it came in are wiped. */
async function readBody(request: IncomingMessage, limit: number): Promise<Buffer | 'too long' | 'cut'> {
  const length = request.headers['content-length'];
  if (length === undefined && request.headers['transfer-encoding'] === undefined) return Buffer.alloc(0);
  if (length !== undefined && Number(length) > limit) return 'too long';
  const { promise, resolve } = Promise.withResolvers<Buffer | 'too long' | 'cut'>();
  const pieces: Buffer[] = [];
  let size = 0;
  const end = (result: 'whole' | 'too long' | 'cut'): void => {
    const whole = result === 'whole' ? Buffer.concat(pieces) : result;
    for (const piece of pieces) piece.fill(0);
    pieces.length = 0;
    resolve(whole);
  };
  request.on('data', (piece: Buffer) => {
    size += piece.length;
    if (size > limit) {
      piece.fill(0);
      end('too long');
    } else pieces.push(piece);
  });
  request.once('end', () => end('whole'));
  request.once('error', () => end('cut'));
  request.once('close', () => end('cut'));
  return promise;
}

/** The operator knows that he has sealed the vaults: no line of his log for every call that comes meanwhile. */
function isSealed(error: unknown): boolean {
  return hasCode(error, 'KNK-KVT-0027');
}

function refuse(response: ServerResponse, requestId: string, status: number, code: string, message: string): void {
  if (response.headersSent || response.destroyed) return;
  const body = Buffer.from(JSON.stringify({ error: { code, message } }));
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': body.length,
    'x-ms-request-id': requestId,
  });
  response.end(body);
}
