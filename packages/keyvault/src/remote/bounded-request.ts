import type { ClientRequest } from 'node:http';
import { request } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { KannukiError, SecretBytes } from '@kannuki/core';

/** One HTTPS call to a vault, bounded in time and in memory. PEM throughout. */
export interface BoundedRequest {
  /** Names the vault in errors. */
  readonly vaultUri: string;
  readonly url: URL;
  readonly method: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Authorities that may sign the server; the system's own where there is none. */
  readonly authority?: string | Uint8Array;
  /** This side's certificate, for servers that ask for one. */
  readonly certificate?: string | Uint8Array;
  readonly privateKey?: string | Uint8Array;
  /** Until TLS is up. */
  readonly connectTimeoutSeconds: number;
  /** Until the last byte of the answer. */
  readonly totalTimeoutSeconds: number;
  readonly answerLimitBytes: number;
}

export interface BoundedAnswer {
  readonly status: number;
  /** The caller disposes it. */
  readonly body: SecretBytes;
}

/**
 * One request, one answer, over TLS 1.2 or later. Nothing is tried twice, no redirect is followed.
 * @throws KannukiError KNK-KVT-0001 where no whole answer came in time, 0014 where it is too long
 */
export function boundedRequest(call: BoundedRequest): Promise<BoundedAnswer> {
  const { connectTimeoutSeconds, totalTimeoutSeconds } = call;
  const unreachable = (reason: string): KannukiError => vaultUnreachable(call.vaultUri, reason);
  return new Promise((resolve, reject) => {
    const received = new Collector(call.answerLimitBytes);
    const outgoing = open(call);
    const fail = (error: KannukiError): void => {
      clearTimeout(connectTimer);
      clearTimeout(totalTimer);
      received.wipe();
      outgoing.destroy();
      reject(error);
    };
    const late = (seconds: number, what: string) => (): void => fail(unreachable(`${what} in ${seconds} s`));
    const connectTimer = setTimeout(late(connectTimeoutSeconds, 'no connection'), connectTimeoutSeconds * 1000);
    const totalTimer = setTimeout(late(totalTimeoutSeconds, 'no answer'), totalTimeoutSeconds * 1000);
    outgoing.on('socket', (socket) => {
      (socket as TLSSocket).once('secureConnect', () => clearTimeout(connectTimer));
    });
    outgoing.on('error', (error: NodeJS.ErrnoException) => fail(unreachable(error.code ?? 'connection lost')));
    outgoing.on('response', (response) => {
      response.on('data', (chunk: Buffer) => {
        if (!received.add(chunk)) fail(vaultSenseless(call.vaultUri, 'it is too long'));
      });
      response.on('error', (error: NodeJS.ErrnoException) => fail(unreachable(error.code ?? 'cut off')));
      response.on('end', () => {
        clearTimeout(totalTimer);
        resolve({ status: response.statusCode ?? 0, body: received.take() });
      });
    });
    outgoing.end(call.body);
  });
}

export function vaultUnreachable(vault: string, reason: string): KannukiError {
  return new KannukiError('KNK-KVT-0001', { details: { vault, reason } });
}

export function vaultSenseless(vault: string, reason: string): KannukiError {
  return new KannukiError('KNK-KVT-0014', { details: { vault, reason } });
}

function open(call: BoundedRequest): ClientRequest {
  const { url, method, headers, body, authority, certificate, privateKey } = call;
  try {
    return request(url, {
      method,
      agent: false,
      headers: {
        ...headers,
        ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': body.length }),
      },
      ...(authority === undefined ? {} : { ca: pem(authority) }),
      ...(certificate === undefined ? {} : { cert: pem(certificate) }),
      ...(privateKey === undefined ? {} : { key: pem(privateKey) }),
      minVersion: 'TLSv1.2',
      rejectUnauthorized: true,
    });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw vaultUnreachable(call.vaultUri, `address or certificates are not usable (${code})`);
  }
}

/** Gathers an answer that may hold a secret, and wipes what it gathered from. */
class Collector {
  readonly #buffer: Buffer;
  #length = 0;

  constructor(limit: number) {
    this.#buffer = Buffer.alloc(limit);
  }

  add(chunk: Buffer): boolean {
    const fits = this.#length + chunk.length <= this.#buffer.length;
    if (fits) {
      chunk.copy(this.#buffer, this.#length);
      this.#length += chunk.length;
    }
    chunk.fill(0);
    return fits;
  }

  take(): SecretBytes {
    return SecretBytes.take(this.#buffer.subarray(0, this.#length));
  }

  wipe(): void {
    this.#buffer.fill(0);
  }
}

function pem(value: string | Uint8Array): string | Buffer {
  return typeof value === 'string' ? value : Buffer.from(value);
}
