import { createPublicKey, verify, type X509Certificate } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { Authority } from '@kannuki/server/identity/authority';
import { openServerCertificate } from '@kannuki/server/identity/server-certificate';

/** What one request was, as far as tests look at it. */
export interface SeenCall {
  readonly face: 'https' | 'socket';
  /** Null for ARM, Graph and the token endpoint. */
  readonly vault: string | null;
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** `METHOD /path` on ARM, `METHOD kv1/path` on the vault kv1. */
export type Routes = Readonly<Record<string, (call: SeenCall) => Answer>>;

const tenantId = '11111111-1111-4111-8111-111111111111';
const subscriptionId = '22222222-2222-4222-8222-222222222222';
const objectId = '33333333-3333-4333-8333-333333333333';
const clientId = '44444444-4444-4444-8444-444444444444';

/**
 * A server that holds a client to Azure's protocol: every request has to have a token for its plane, an api-version, and
 * (vaults) a name in SNI that fits its Host. What is answered is the test's. For tests.
 */
export class AzureServer implements AsyncDisposable {
  readonly tenantId = tenantId;
  readonly subscriptionId = subscriptionId;
  readonly objectId = objectId;
  readonly clientId = clientId;
  readonly clientSecret = 'Sec~ret/with+all&kinds=of%signs';
  readonly calls: SeenCall[] = [];
  readonly folder: string;
  readonly url: string;
  readonly ca: string;
  readonly socketPath: string;
  /** Whose certificate is accepted in place of the secret. */
  certificate: X509Certificate | undefined;
  /** Tokens that were given out, with their audience; emptying it makes all of them worthless. */
  readonly tokens = new Map<string, string>();
  routes: Routes;
  readonly #servers: readonly Server[];

  private constructor(options: {
    folder: string;
    url: string;
    ca: string;
    servers: readonly Server[];
    routes: Routes;
  }) {
    this.folder = options.folder;
    this.url = options.url;
    this.ca = options.ca;
    this.socketPath = join(options.folder, 'admin.sock');
    this.#servers = options.servers;
    this.routes = options.routes;
  }

  static async start(routes: Routes = {}): Promise<AzureServer> {
    const folder = await mkdtemp(join(tmpdir(), 'kannuki-azure-'));
    const authority = await Authority.open(join(folder, 'ca'));
    const names = ['127.0.0.1', 'localhost', '*.vault.localhost'];
    const { chain, key } = await openServerCertificate(join(folder, 'tls'), authority, names);
    const tls = createTlsServer({ cert: chain, key, minVersion: 'TLSv1.3' });
    const socket = createServer();
    await new Promise<void>((resolve) => tls.listen(0, '127.0.0.1', resolve));
    await new Promise<void>((resolve) => socket.listen(join(folder, 'admin.sock'), resolve));
    const url = `https://127.0.0.1:${(tls.address() as AddressInfo).port}`;
    const server = new AzureServer({ folder, url, ca: authority.certificate, servers: [tls, socket], routes });
    tls.on('request', (request, response) => void server.#serve('https', request, response));
    socket.on('request', (request, response) => void server.#serve('socket', request, response));
    return server;
  }

  get vaultDnsSuffix(): string {
    return `vault.localhost:${new URL(this.url).port}`;
  }

  get caFile(): string {
    return join(this.folder, 'ca', 'authority.pem');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
    await rm(this.folder, { recursive: true });
  }

  async #serve(face: SeenCall['face'], request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    const { pathname, searchParams } = new URL(request.url ?? '', 'https://server/');
    const isForm = request.headers['content-type'] === 'application/x-www-form-urlencoded';
    const call: SeenCall = {
      face,
      vault: /^([a-z0-9-]+)\.vault\.localhost(?::\d+)?$/.exec(request.headers.host ?? '')?.[1] ?? null,
      method: request.method ?? '',
      path: pathname,
      query: Object.fromEntries(searchParams),
      body: text === '' ? undefined : isForm ? Object.fromEntries(new URLSearchParams(text)) : JSON.parse(text),
    };
    this.calls.push(call);
    const { status = 200, headers = {}, body } = this.#answer(call, request);
    const json = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(json);
  }

  #answer(call: SeenCall, request: IncomingMessage): Answer {
    if (call.face === 'https') {
      if (call.path === `/${tenantId}/oauth2/v2.0/token`) return this.#token(call);
      if (call.path === '/metadata/endpoints') {
        return { body: [{ name: 'Kannuki', suffixes: { keyVaultDns: this.vaultDnsSuffix } }] };
      }
      const { servername } = request.socket as TLSSocket & { servername?: string | false };
      if (call.vault !== null && servername !== `${call.vault}.vault.localhost`) {
        return { status: 421, body: errorBody('Misdirected', `SNI is ${String(servername)}`) };
      }
      const audience = this.tokens.get((request.headers.authorization ?? '').replace(/^Bearer /, ''));
      const wanted = call.vault === null ? this.url : `https://${this.vaultDnsSuffix}`;
      if (audience !== wanted) {
        const challenge = `Bearer authorization="${this.url}/${tenantId}", resource="https://${this.vaultDnsSuffix}"`;
        return { status: 401, headers: { 'www-authenticate': challenge }, body: errorBody('Unauthorized', 'no token') };
      }
    }
    if (!call.path.startsWith('/v1.0/') && call.query['api-version'] === undefined) {
      return { status: 400, body: errorBody('MissingApiVersion', 'api-version is missing') };
    }
    if (call.body !== undefined && request.headers['content-type'] !== 'application/json') {
      return { status: 415, body: errorBody('UnsupportedMediaType', 'JSON is expected') };
    }
    const route = this.routes[`${call.method} ${call.vault ?? ''}${call.path}`] ?? this.#usual(call);
    return route?.(call) ?? { status: 404, body: errorBody('ResourceNotFound', `nothing at ${call.path}`) };
  }

  #usual(call: SeenCall): ((call: SeenCall) => Answer) | undefined {
    if (`${call.method} ${call.path}` !== 'GET /subscriptions') return undefined;
    const subscription = { subscriptionId, tenantId, displayName: 'Test', state: 'Enabled' };
    return () => ({ body: { value: [subscription] } });
  }

  #token({ body }: SeenCall): Answer {
    const form = body as Record<string, string>;
    const audience = form.scope?.replace(/\/\.default$/, '') ?? '';
    const isProven = form.client_secret === this.clientSecret || this.#isAssertion(form.client_assertion);
    const isFit = form.grant_type === 'client_credentials' && form.client_id === clientId;
    if (!isFit || !isProven) {
      const described = `AADSTS7000215: Invalid client secret provided: ${form.client_secret}`;
      return { status: 401, body: { error: 'invalid_client', error_description: described } };
    }
    if (audience !== this.url && audience !== `https://${this.vaultDnsSuffix}`) {
      return { status: 400, body: { error: 'invalid_scope', error_description: `AADSTS500011: ${form.scope}` } };
    }
    const claims = Buffer.from(JSON.stringify({ oid: objectId, n: this.tokens.size })).toString('base64url');
    const token = `e30.${claims}.signature${this.calls.length}`;
    this.tokens.set(token, audience);
    return { body: { token_type: 'Bearer', expires_in: 3599, access_token: token } };
  }

  #isAssertion(assertion: string | undefined): boolean {
    const [header = '', payload = '', signature = ''] = assertion?.split('.') ?? [];
    if (assertion === undefined || this.certificate === undefined) return false;
    const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>;
    const { aud, sub, iss, exp } = read(payload);
    const isMeant = aud === `${this.url}/${tenantId}/oauth2/v2.0/token` && sub === clientId && iss === clientId;
    const fingerprint = Buffer.from(this.certificate.fingerprint256.replaceAll(':', ''), 'hex').toString('base64url');
    if (!isMeant || Number(exp) < Date.now() / 1000 || read(header)['x5t#S256'] !== fingerprint) return false;
    const key = createPublicKey(this.certificate.publicKey.export({ type: 'spki', format: 'pem' }));
    const bytes = Buffer.from(`${header}.${payload}`);
    const given = Buffer.from(signature, 'base64url');
    return read(header).alg === 'ES256'
      ? verify('sha256', bytes, { key, dsaEncoding: 'ieee-p1363' }, given)
      : verify('sha256', bytes, { key, padding: 6, saltLength: 32 }, given);
  }
}

export function errorBody(code: string, message: string): object {
  return { error: { code, message } };
}
