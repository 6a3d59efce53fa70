import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import type { AgentStatus, VolumeStatus } from '@kannuki/core';
import { exportPrivateKey, x509 } from '../identity/x509.ts';
import { type HttpAnswer, httpCall } from './http-call.ts';
import type { TestServer } from './test-server.ts';

const p256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/** A key pair and a request that proves it. */
export async function makeRequest(
  algorithm: {
    name: string;
    hash: string;
    namedCurve?: string;
    modulusLength?: number;
    publicExponent?: Uint8Array;
  } = p256,
): Promise<{ request: string; key: string }> {
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: 'CN=whoever',
    keys,
    signingAlgorithm: algorithm,
  });
  return { request: `${request.toString('pem')}\n`, key: await exportPrivateKey(keys.privateKey) };
}

/** An agent that speaks the bare protocol: the server's tests do not depend on the real one. */
export class TestAgent {
  readonly server: TestServer;
  readonly vmId: string;
  readonly authority: string;
  identity: { readonly certificate: string; readonly key: string } | undefined;

  private constructor(server: TestServer, vmId: string, authority: string, identity: TestAgent['identity']) {
    this.server = server;
    this.vmId = vmId;
    this.authority = authority;
    this.identity = identity;
  }

  static async join(server: TestServer, token: string): Promise<TestAgent> {
    const { request, key } = await makeRequest();
    const { answer, authority } = await tryJoin(server, token, request);
    assert.equal(answer.status, 200, answer.text);
    const { vmId, certificate } = answer.json as { vmId: string; certificate: string };
    return new TestAgent(server, vmId, authority, { certificate, key });
  }

  /** The same VM under another certificate, or under none. */
  as(identity: TestAgent['identity']): TestAgent {
    return new TestAgent(this.server, this.vmId, this.authority, identity);
  }

  call(method: string, path: string, body?: unknown): Promise<HttpAnswer> {
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    return httpCall({
      url: `${this.server.url}/agent/v1${path}`,
      method,
      authority: this.authority,
      identity: this.identity,
      ...(text === undefined ? {} : { body: text }),
    });
  }

  putStatus(status: Partial<AgentStatus>): Promise<HttpAnswer> {
    return this.call('PUT', '/status', { ...emptyStatus, ...status });
  }

  vault(call: string, body: object, vault = 'kv1'): Promise<HttpAnswer> {
    return this.call('POST', `/vault/${call}?vault=${vault}`, body);
  }
}

/** The volumes in an answer to GET /goal. */
export function goalVolumes(answer: HttpAnswer): Record<string, unknown>[] {
  const { volumes = [] } = answer.json ?? {};
  return volumes as Record<string, unknown>[];
}

/** The authority as a client has it from its host. */
export function authorityOf(server: TestServer): string {
  const { provision } = server.host.starts.at(-1)?.options ?? {};
  return String(provision?.['authority.pem']);
}

export async function tryJoin(
  server: TestServer,
  token: string,
  certificateSigningRequest: string,
): Promise<{ answer: HttpAnswer; authority: string }> {
  const authority = authorityOf(server);
  const body = JSON.stringify({ token, certificateSigningRequest });
  const answer = await httpCall({ url: `${server.url}/agent/v1/join`, method: 'POST', authority, body });
  return { answer, authority };
}

export const emptyStatus: AgentStatus = {
  generation: 0,
  bootId: 'boot-1',
  volumes: [],
  problems: [],
  downtimeSeconds: null,
  unlocked: false,
};

export function dataVolume(state: VolumeStatus['state'], more: Partial<VolumeStatus> = {}): VolumeStatus {
  const sizeBytes = 8 * 1024 ** 3;
  return {
    name: 'sda',
    device: '/dev/sda',
    serial: 'data0',
    fileSystem: 'ext4',
    mountPoint: '/data0',
    sizeBytes,
    usedBytes: 1000,
    kind: 'data',
    state,
    percent: state === 'Encrypted' ? 100 : 0,
    bytesDone: state === 'Encrypted' ? sizeBytes : 0,
    bytesTotal: sizeBytes,
    bytesPerSecond: null,
    etaSeconds: null,
    keySource: 'none',
    secretId: null,
    kekId: null,
    ...more,
  };
}
