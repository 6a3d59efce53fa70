import { Agent, request as httpsRequest, type RequestOptions } from 'node:https';
import { isIP } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { KannukiError } from '@kannuki/core';

export interface ChannelOptions {
  /** `https://HOST:PORT` */
  readonly serverUrl: string;
  /** PEM of the only authority whose server is talked to; undefined only to fetch the authority itself. */
  readonly authority: string | undefined;
  /** PEM of private key and certificate, as bytes. */
  readonly identity?: Uint8Array;
}

export interface Call {
  readonly method: 'GET' | 'PUT' | 'POST';
  readonly path: string;
  readonly body?: Uint8Array;
  /** Bound on the whole call. Default 30. */
  readonly totalSeconds?: number;
  /** Longest answer that is read. Default 256 KiB. */
  readonly answerLimitBytes?: number;
  readonly signal?: AbortSignal;
}

export interface Answer {
  readonly status: number;
  /** Of its own memory, so that a caller may wipe it. */
  readonly body: Buffer;
}

const maximumIdleConnections = 2;
const connectSeconds = 10;
const defaultTotalSeconds = 30;
const defaultAnswerLimitBytes = 256 * 1024;

/** The agent's way to its server: TLS 1.3, one trusted authority, every call bounded in time and size. */
export class Channel {
  readonly serverUrl: string;
  readonly #url: URL;
  readonly #agent: Agent;

  /** @throws KannukiError KNK-AGT-0009 for an address that is not an https origin */
  constructor(options: ChannelOptions) {
    this.#url = parseServerUrl(options.serverUrl);
    this.serverUrl = this.#url.origin;
    const identity = options.identity === undefined ? undefined : Buffer.from(options.identity);
    this.#agent = new Agent({
      keepAlive: true,
      maxSockets: 8,
      maxFreeSockets: maximumIdleConnections,
      minVersion: 'TLSv1.3',
      ca: options.authority === undefined ? [] : [options.authority],
      rejectUnauthorized: options.authority !== undefined,
      ...(identity === undefined ? {} : { key: identity, cert: identity }),
    });
  }

  /**
   * One call, repeated only where the server had closed the idle connection that it went out on.
   * @throws KannukiError KNK-AGT-0003 not reachable, 0004 not trusted, 0006 answer too long
   */
  async call(call: Call): Promise<Answer> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#once(call);
      } catch (error) {
        if (!(error instanceof StaleConnection)) throw error;
        // At most this many connections can have been idle, so a further one is a new one.
        if (attempt > maximumIdleConnections) throw this.#failure(error, call);
      }
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  #once(call: Call): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const { body } = call;
    const options: RequestOptions = {
      agent: this.#agent,
      method: call.method,
      hostname: this.#url.hostname.replace(/^\[|\]$/g, ''),
      port: this.#url.port === '' ? 443 : this.#url.port,
      path: call.path,
      headers: {
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': body.length }),
      },
      ...(isIP(this.#url.hostname) === 0 ? { servername: this.#url.hostname } : {}),
      ...(call.signal === undefined ? {} : { signal: call.signal }),
    };
    const request = httpsRequest(options, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > (call.answerLimitBytes ?? defaultAnswerLimitBytes)) request.destroy(this.#tooLong(call));
        else chunks.push(chunk);
      });
      response.on('end', () => {
        const whole = Buffer.concat(chunks);
        for (const chunk of chunks) chunk.fill(0);
        resolve({ status: response.statusCode ?? 0, body: whole });
      });
      response.on('error', (error) => reject(this.#failure(error, call)));
    });
    const totalSeconds = call.totalSeconds ?? defaultTotalSeconds;
    const total = setTimeout(
      () => request.destroy(new Error(`no answer within ${totalSeconds} s`)),
      totalSeconds * 1000,
    );
    let connect: NodeJS.Timeout | undefined;
    request.on('socket', (socket) => {
      if (request.reusedSocket) return;
      connect = setTimeout(
        () => request.destroy(new Error(`no connection within ${connectSeconds} s`)),
        connectSeconds * 1000,
      );
      (socket as TLSSocket).once('secureConnect', () => clearTimeout(connect));
    });
    request.on('error', (error: NodeJS.ErrnoException) => {
      const stale = request.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
      reject(stale ? new StaleConnection() : this.#failure(error, call));
    });
    request.on('close', () => {
      clearTimeout(total);
      clearTimeout(connect);
    });
    request.end(body);
    return promise;
  }

  #tooLong(call: Call): KannukiError {
    const details = { server: this.serverUrl, call: callName(call), reason: 'the answer is too long' };
    return new KannukiError('KNK-AGT-0006', { details });
  }

  #failure(error: NodeJS.ErrnoException, call: Call): unknown {
    if (error instanceof KannukiError || call.signal?.aborted) return error;
    const reason = error.code ?? error.message;
    const code = certificateProblems.has(reason) ? 'KNK-AGT-0004' : 'KNK-AGT-0003';
    return new KannukiError(code, { details: { server: this.serverUrl, reason }, cause: error });
  }
}

/** The server had closed the idle connection that the call went out on. */
class StaleConnection extends Error {
  readonly code = 'ECONNRESET';
}

/** OpenSSL's and Node's names for a certificate that is not to be trusted. */
const certificateProblems = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'HOSTNAME_MISMATCH',
  'INVALID_PURPOSE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

export function callName(call: Pick<Call, 'method' | 'path'>): string {
  return `${call.method} ${call.path.replace(/\?.*$/s, '')}`;
}

/** @throws KannukiError KNK-AGT-0009 */
export function parseServerUrl(url: string): URL {
  const refuse = (reason: string): KannukiError =>
    new KannukiError('KNK-AGT-0009', { details: { url: url.slice(0, 200), reason } });
  if (!URL.canParse(url)) throw refuse('it is not a URL');
  const parsed = new URL(url);
  if (parsed.protocol !== 'https:') throw refuse('it does not start with https://');
  if (parsed.username !== '' || parsed.password !== '') throw refuse('it must not hold a user name');
  if (parsed.pathname !== '/' || parsed.search !== '' || parsed.hash !== '') throw refuse('it must not have a path');
  return parsed;
}
