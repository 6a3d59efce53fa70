import { type IncomingHttpHeaders, type RequestOptions, request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import { KannukiError, SecretBytes } from '@kannuki/core';

/** How the server is reached. */
export type Way =
  /** The administrator's socket in the data folder: who may open it is asked for nothing more. */
  | { readonly kind: 'socket'; readonly socketPath: string }
  /** TLS 1.3 to the server's own address; `ca` (PEM) is the only authority that is believed. */
  | { readonly kind: 'https'; readonly server: string; readonly ca: string };

/** One request; nothing in it is sent twice by itself. */
export interface Outgoing {
  readonly method: string;
  /** Path and query, percent-encoded. */
  readonly path: string;
  /** `Host` header, and with TLS the name that the certificate must bear: a vault's name, or undefined for the server's own. */
  readonly host: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
}

export interface Incoming {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** May hold a secret: dispose it. */
  readonly body: SecretBytes;
}

export interface Bounds {
  /** Until the connection is up. */
  readonly connectSeconds: number;
  /** Until the last byte of the answer. */
  readonly totalSeconds: number;
  readonly bodyBytes: number;
}

/** A key of 4096 bits may take its time in an HSM. */
export const defaultBounds: Bounds = { connectSeconds: 10, totalSeconds: 60, bodyBytes: 8 * 1024 * 1024 };

/**
 * One request, one answer, in bounded time and memory. A vault's name need not resolve: the connection goes to the
 * server's own address, and the name is only said (SNI, Host).
 * @throws KannukiError KNK-AZC-0004 or (socket) KNK-SRV-0017 where there is no answer, KNK-AZC-0007 for one too long
 */
export function exchange(way: Way, outgoing: Outgoing, bounds: Bounds = defaultBounds): Promise<Incoming> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const { target, request } = open(way);
    const call = request({
      ...target,
      method: outgoing.method,
      path: outgoing.path,
      agent: false,
      ...(way.kind === 'https' && outgoing.host !== undefined ? { servername: nameOf(outgoing.host) } : {}),
      headers: {
        accept: 'application/json',
        ...(outgoing.host === undefined ? {} : { host: outgoing.host }),
        ...outgoing.headers,
        ...(outgoing.body === undefined && outgoing.method === 'GET'
          ? {}
          : { 'content-length': String(outgoing.body?.length ?? 0) }),
      },
    });
    const fail = (error: KannukiError): void => {
      clearTimeout(connecting);
      clearTimeout(whole);
      for (const chunk of chunks) chunk.fill(0);
      call.destroy();
      reject(error);
    };
    const late = (what: string, seconds: number) => (): void => fail(unreachable(way, `${what} within ${seconds} s`));
    const connecting = setTimeout(late('no connection', bounds.connectSeconds), bounds.connectSeconds * 1000);
    const whole = setTimeout(late('no answer', bounds.totalSeconds), bounds.totalSeconds * 1000);
    call.on('socket', (socket) => {
      socket.once(way.kind === 'https' ? 'secureConnect' : 'connect', () => clearTimeout(connecting));
    });
    call.on('error', (error: NodeJS.ErrnoException) => fail(unreachable(way, error.code ?? error.message, error)));
    call.on('response', (response) => {
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        length += chunk.length;
        if (length > bounds.bodyBytes) fail(tooLong(bounds.bodyBytes));
      });
      response.on('error', (error: NodeJS.ErrnoException) => fail(unreachable(way, error.code ?? 'cut off', error)));
      response.on('end', () => {
        clearTimeout(connecting);
        clearTimeout(whole);
        const body = Buffer.concat(chunks, length);
        // A copy: concat may share memory of the pool with others.
        const own = new Uint8Array(body);
        body.fill(0);
        for (const chunk of chunks) chunk.fill(0);
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: SecretBytes.take(own) });
      });
    });
    call.end(outgoing.body);
  });
}

function open(way: Way): {
  readonly target: RequestOptions;
  readonly request: (options: RequestOptions & { servername?: string }) => ReturnType<typeof requestPlain>;
} {
  if (way.kind === 'socket') return { target: { socketPath: way.socketPath }, request: requestPlain };
  const { hostname, port } = new URL(way.server);
  const host = hostname.replace(/^\[|\]$/g, '');
  return {
    target: { host, port: port === '' ? 443 : Number(port) },
    request: (options) => requestTls({ ...options, ca: way.ca, minVersion: 'TLSv1.3', rejectUnauthorized: true }),
  };
}

/** `kv1.vault.localhost:8443` → `kv1.vault.localhost`. */
function nameOf(host: string): string {
  return host.replace(/:\d+$/, '');
}

function unreachable(way: Way, reason: string, cause?: unknown): KannukiError {
  return way.kind === 'socket'
    ? new KannukiError('KNK-SRV-0017', { details: { path: way.socketPath, reason }, cause })
    : new KannukiError('KNK-AZC-0004', { details: { server: way.server, reason }, cause });
}

function tooLong(limit: number): KannukiError {
  return new KannukiError('KNK-AZC-0007', { details: { what: 'the answer', reason: `longer than ${limit} bytes` } });
}
