import { Agent, request } from 'node:https';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** Parsed body; undefined where it is no JSON. */
  readonly json: Record<string, unknown> | undefined;
  /** Code of the error in it; '' where there is none. */
  readonly errorCode: string;
}

export interface HttpCall {
  readonly url: string;
  readonly method?: string;
  readonly authority: string;
  /** PEM of a client certificate and its key. */
  readonly identity?: { readonly certificate: string; readonly key: string } | undefined;
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  /** The name that the certificate has to have, where the `Host` header says another. */
  readonly servername?: string;
}

/** One HTTPS call on a connection of its own. */
export function httpCall(call: HttpCall): Promise<HttpAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
  const { identity } = call;
  const agent = new Agent({
    ca: [call.authority],
    maxCachedSessions: 0,
    ...(identity === undefined ? {} : { cert: identity.certificate, key: identity.key }),
  });
  const outgoing = request(
    call.url,
    {
      agent,
      ...(call.servername === undefined ? {} : { servername: call.servername }),
      method: call.method ?? 'GET',
      headers: {
        ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...call.headers,
      },
    },
    (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('end', () => {
        agent.destroy();
        const text = Buffer.concat(pieces).toString('utf8');
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          json: parse(text),
          errorCode: errorCodeIn(text),
        });
      });
      response.on('error', reject);
    },
  );
  outgoing.setTimeout(20_000, () => outgoing.destroy(new Error('the test waited too long')));
  outgoing.on('error', reject);
  outgoing.end(call.body);
  return promise;
}

function errorCodeIn(text: string): string {
  const { error } = parse(text) ?? {};
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : '';
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
