import type { TLSSocket } from 'node:tls';
import { hasCode } from '@kannuki/core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { requireVm } from '../../agents/client-certificate.ts';
import type { Enrollment } from '../enrollment.ts';
import type { Identity } from '../identity.ts';

interface ImdsQuery {
  readonly resource?: unknown;
  readonly 'api-version'?: unknown;
  readonly client_id?: unknown;
  readonly object_id?: unknown;
  readonly msi_res_id?: unknown;
}

/**
 * `GET /metadata/identity/oauth2/token`: what Azure's instance metadata service answers, for the VM whose client certificate the
 * connection shows. The rules of that service hold: the header `Metadata: true`, and no forwarded requests, so that nobody
 * talks a server in the VM into fetching a token for them.
 */
export function imdsRoutes(app: FastifyInstance, identity: Identity, enrollment: Enrollment): void {
  const answer = async (request: FastifyRequest<{ Querystring: ImdsQuery }>, reply: FastifyReply): Promise<unknown> => {
    const refuse = (status: number, error: string, text: string): FastifyReply =>
      reply.code(status).send({ error, error_description: text });
    void reply.headers({ 'cache-control': 'no-store', pragma: 'no-cache' });
    if (request.headers['x-forwarded-for'] !== undefined || request.headers.forwarded !== undefined) {
      return refuse(400, 'invalid_request', 'Forwarded requests are not answered');
    }
    if (request.headers.metadata !== 'true') {
      return refuse(400, 'invalid_request', 'Required metadata header not specified');
    }
    const vmId = vmOf(request, enrollment);
    if (vmId === 'none') return refuse(401, 'unauthorized_client', 'The connection shows no certificate of a VM');
    if (vmId === 'refused') return refuse(403, 'unauthorized_client', 'The certificate of the VM is not accepted');
    const { resource, client_id: clientId, object_id: objectId, msi_res_id: resourceId } = request.query;
    const version = request.query['api-version'];
    if (typeof version !== 'string' || !/^\d{4}-\d{2}-\d{2}(?:-preview)?$/.test(version)) {
      return refuse(400, 'bad_request_102', 'Required api-version parameter not specified');
    }
    if (typeof resource !== 'string')
      return refuse(400, 'invalid_request', 'Required audience parameter not specified');
    if (!identity.audiences.isKnown(resource)) {
      const text = 'AADSTS500011: The resource principal was not found in the tenant';
      return refuse(400, 'invalid_resource', text);
    }
    const principal = await identity.managedIdentities.ofVm(vmId);
    const isMeant =
      principal?.enabled === true &&
      namesOnly(clientId, principal.appId) &&
      namesOnly(objectId, principal.objectId) &&
      resourceId === undefined;
    if (!isMeant) return refuse(400, 'invalid_request', 'Identity not found');
    const issued = await identity.issuer.issue(principal, resource, '2');
    return {
      access_token: issued.token,
      client_id: principal.appId,
      expires_in: String(issued.lifeSeconds - 1),
      expires_on: String(issued.expiresAt),
      ext_expires_in: String(issued.lifeSeconds - 1),
      not_before: String(issued.notBefore),
      resource,
      token_type: 'Bearer',
    };
  };
  app.get('/metadata/identity/oauth2/token', answer);
  app.get('/metadata/identity/oauth2/token/', answer);
}

/** Whether a parameter that may be left out names this one. */
function namesOnly(value: unknown, id: string): boolean {
  return value === undefined || (typeof value === 'string' && value.toLowerCase() === id);
}

/** None shown is 401; one that is not ours, over or revoked is 403. */
function vmOf(request: FastifyRequest, enrollment: Enrollment): string {
  try {
    return requireVm(request.raw, enrollment);
  } catch (error) {
    if (!hasCode(error, 'KNK-SRV-0007')) throw error;
    return (request.raw.socket as TLSSocket).getPeerX509Certificate() === undefined ? 'none' : 'refused';
  }
}
