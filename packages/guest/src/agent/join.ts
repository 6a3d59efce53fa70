import { X509Certificate } from 'node:crypto';
import { authorityFingerprint, type JoinReply, type JoinRequest, KannukiError, parseJoinToken } from '@kannuki/core';
import type { AgentStore, Membership } from './agent-store.ts';
import { makeKeyAndRequest } from './certificate-request.ts';
import { type Answer, type Call, Channel, callName } from './channel.ts';
import { isRecord } from './goal-shape.ts';
import { refusal } from './refusal.ts';

export interface JoinOptions {
  readonly serverUrl: string;
  readonly token: string;
  /** PEM; without it the server's authority is fetched and held against the fingerprint in the token. */
  readonly authority?: string;
  /** Joins although this VM is a member already. */
  readonly force?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Makes this VM a member: the key pair is made here and only the request leaves, the server answers the certificate.
 * @throws KannukiError KNK-AGT-0002 joined already, 0003, 0004 (also for an authority that the token does not name),
 *   0008 for what is no token, or what the server refuses with
 */
export async function joinServer(store: AgentStore, options: JoinOptions): Promise<Membership> {
  if (options.force !== true) await refuseMember(store);
  const token = parseJoinToken(options.token);
  if (token === undefined) {
    throw new KannukiError('KNK-AGT-0008', { details: { reason: 'it does not have the form of one' } });
  }
  const authority = options.authority ?? (await fetchAuthority(options));
  if (fingerprintOf(authority) !== token.authorityFingerprint) {
    const reason = 'its authority is not the one that the join token names';
    throw new KannukiError('KNK-AGT-0004', { details: { server: options.serverUrl, reason } });
  }

  const made = await makeKeyAndRequest();
  using privateKey = made.privateKey;
  const request: JoinRequest = {
    token: options.token,
    certificateSigningRequest: made.certificateSigningRequest,
  };
  const reply = await exchange(authority, options, {
    method: 'POST',
    path: '/agent/v1/join',
    body: Buffer.from(JSON.stringify(request)),
  });
  const { vmId, certificate } = parseReply(reply, options.serverUrl);
  const membership = { serverUrl: new URL(options.serverUrl).origin, vmId };
  await store.join(membership, { privateKey, certificate, authority });
  return membership;
}

async function refuseMember(store: AgentStore): Promise<void> {
  const membership = await store.membership();
  const identity = await store.identity();
  if (membership === undefined || identity === undefined) return;
  identity.pem[Symbol.dispose]();
  throw new KannukiError('KNK-AGT-0002', { details: { server: membership.serverUrl, vm: membership.vmId } });
}

/** Nothing secret goes out on this call: whom we talk to is not known until the fingerprint was compared. */
async function fetchAuthority(options: JoinOptions): Promise<string> {
  const reply = await exchange(undefined, options, { method: 'GET', path: '/agent/v1/authority' });
  const { authority } = reply;
  if (typeof authority === 'string' && authority.length <= 16384) return authority;
  throw nonsense(options.serverUrl, 'there is no authority in it');
}

async function exchange(
  authority: string | undefined,
  { serverUrl, signal }: JoinOptions,
  call: Call,
): Promise<Record<string, unknown>> {
  const channel = new Channel({ serverUrl, authority });
  let answer: Answer;
  try {
    answer = await channel.call({ ...call, ...(signal === undefined ? {} : { signal }) });
  } finally {
    channel.close();
  }
  if (answer.status !== 200) throw refusal(serverUrl, callName(call), answer);
  try {
    const reply: unknown = JSON.parse(answer.body.toString('utf8'));
    if (isRecord(reply)) return reply;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw nonsense(serverUrl, 'it is not a JSON object');
}

function parseReply(reply: Partial<Record<keyof JoinReply, unknown>>, server: string): JoinReply {
  const { vmId, certificate, authority } = reply;
  if (typeof vmId !== 'string' || typeof certificate !== 'string' || typeof authority !== 'string') {
    throw nonsense(server, 'there is no certificate in it');
  }
  return { vmId, certificate, authority };
}

/** '' for what is no certificate: equal to no fingerprint. */
function fingerprintOf(pem: string): string {
  try {
    return authorityFingerprint(new X509Certificate(pem).raw);
  } catch {
    return '';
  }
}

function nonsense(server: string, reason: string): KannukiError {
  return new KannukiError('KNK-AGT-0006', { details: { server, call: 'join', reason } });
}
