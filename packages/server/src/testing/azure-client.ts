import { readFile } from 'node:fs/promises';
import { request as socketRequest } from 'node:http';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import type { AdminFile } from '../identity/admin-file.ts';
import type { TestServer } from './test-server.ts';

export interface AzureAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  readonly json: Record<string, unknown>;
  /** Azure's code of the error in it; '' where there is none. */
  readonly code: string;
}

export interface Credentials {
  readonly objectId: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

type Headers = Readonly<Record<string, string>>;

/** Calls a test server as a client of Azure does, with a token of its own, by any of its names. */
export class AzureClient {
  readonly server: TestServer;
  readonly admin: AdminFile;
  readonly authority: string;
  readonly credentials: Credentials;
  readonly #tokens = new Map<string, string>();

  private constructor(server: TestServer, admin: AdminFile, authority: string, credentials: Credentials) {
    this.server = server;
    this.admin = admin;
    this.authority = authority;
    this.credentials = credentials;
  }

  /** The first administrator. */
  static async administrator(server: TestServer): Promise<AzureClient> {
    const admin = JSON.parse(await readFile(join(server.folder, 'admin.json'), 'utf8')) as AdminFile;
    return new AzureClient(server, admin, await readFile(admin.caFile, 'utf8'), admin);
  }

  /** A new service principal, without any role. */
  async principal(displayName: string): Promise<AzureClient> {
    const { appId, objectId, password } = await this.server.admin.call('ad-sp-create', { displayName });
    const credentials = { objectId, clientId: appId, clientSecret: password };
    return new AzureClient(this.server, this.admin, this.authority, credentials);
  }

  get subscription(): string {
    return `/subscriptions/${this.admin.subscriptionId}`;
  }

  get port(): string {
    return new URL(this.server.url).port;
  }

  /** @param resource audience of the token */
  async token(resource: string): Promise<string> {
    const known = this.#tokens.get(resource);
    if (known !== undefined) return known;
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: this.credentials.clientId,
      client_secret: this.credentials.clientSecret,
      scope: `${resource}/.default`,
    });
    const path = `/${this.admin.tenantId}/oauth2/v2.0/token`;
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const answer = await this.send('POST', path, { body: form.toString(), headers });
    const token = String(answer.json.access_token);
    this.#tokens.set(resource, token);
    return token;
  }

  /** ARM over TLS. @param path after the subscription, with or without `?api-version` */
  async arm(method: string, path: string, body?: unknown, headers: Headers = {}): Promise<AzureAnswer> {
    const versioned = path.includes('api-version=')
      ? path
      : `${path}${path.includes('?') ? '&' : '?'}api-version=2023-07-01`;
    const authorization = `Bearer ${await this.token(this.server.url)}`;
    return this.send(method, versioned.startsWith('/subscriptions') ? versioned : `${this.subscription}${versioned}`, {
      body: body === undefined ? undefined : JSON.stringify(body),
      headers: { authorization, 'content-type': 'application/json', ...headers },
    });
  }

  /** The data plane of a vault over TLS. */
  async vault(name: string, method: string, path: string, body?: unknown): Promise<AzureAnswer> {
    const authorization = `Bearer ${await this.token(`https://${this.admin.vaultDnsSuffix}`)}`;
    const host = `${name}.${this.admin.vaultDnsSuffix}`;
    return this.send(method, `${path}${path.includes('?') ? '&' : '?'}api-version=7.4`, {
      body: body === undefined ? undefined : JSON.stringify(body),
      headers: { host, authorization, 'content-type': 'application/json' },
    });
  }

  /** One request on a connection of its own, to this server whatever the Host header says. */
  send(
    method: string,
    path: string,
    options: {
      readonly body?: string | undefined;
      readonly headers?: Headers;
      /** Through the administrator's socket. */
      readonly socket?: boolean;
      /** Name in TLS; without: that of the Host header. */
      readonly servername?: string;
    } = {},
  ): Promise<AzureAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<AzureAnswer>();
    const { body, headers = {}, socket = false } = options;
    const name = options.servername ?? headers.host?.split(':')[0];
    const agent = new Agent({ ca: [this.authority], maxCachedSessions: 0 });
    const outgoing = socket
      ? socketRequest({ socketPath: this.server.admin.socketPath, method, path, headers, agent: false })
      : request({
          host: '127.0.0.1',
          port: this.port,
          method,
          path,
          headers,
          agent,
          ...(name === undefined ? {} : { servername: name }),
        });
    outgoing.on('response', (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('error', reject);
      response.on('end', () => {
        agent.destroy();
        const text = Buffer.concat(pieces).toString('utf8');
        const json = text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {};
        const { code } = (json.error ?? {}) as { code?: unknown };
        const { statusCode = 0, headers: answered } = response;
        resolve({ status: statusCode, headers: answered, text, json, code: typeof code === 'string' ? code : '' });
      });
    });
    outgoing.setTimeout(20_000, () => outgoing.destroy(new Error('the test waited too long')));
    outgoing.on('error', reject);
    outgoing.end(body);
    return promise;
  }

  /** Asks an operation for its end. */
  async finished(answer: AzureAnswer): Promise<Record<string, unknown>> {
    const url = new URL(String(answer.headers['azure-asyncoperation']));
    for (;;) {
      const { json } = await this.arm('GET', url.pathname + url.search);
      if (json.status !== 'InProgress') return json;
    }
  }
}
