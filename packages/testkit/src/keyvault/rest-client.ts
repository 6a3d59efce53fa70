import { readFileSync } from 'node:fs';
import { Agent, type Dispatcher } from 'undici';
import type { AdminJson } from './server-process.ts';

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  // biome-ignore lint/suspicious/noExplicitAny: what a test reads out of an answer
  readonly json: any;
}

/**
 * The server's REST faces for load and fault runs, where the SDKs cost too much themselves: connections are kept open, and
 * a vault's name needs no DNS.
 */
export class RestClient implements AsyncDisposable {
  readonly admin: AdminJson;
  readonly #agent: Agent;
  readonly #tokens = new Map<string, string>();

  constructor(admin: AdminJson, connections = 8) {
    this.admin = admin;
    this.#agent = new Agent({
      connections,
      connect: { ca: readFileSync(admin.caFile), servername: 'localhost' },
      headersTimeout: 60_000,
      bodyTimeout: 60_000,
    });
  }

  async token(resource: string): Promise<string> {
    const known = this.#tokens.get(resource);
    if (known !== undefined) return known;
    const { tenantId, clientId, clientSecret, server } = this.admin;
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
      scope: `${resource}/.default`,
    });
    const { status, json } = await this.#send(new URL(`/${tenantId}/oauth2/v2.0/token`, server), 'POST', {
      body: form.toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    if (status !== 200) throw new Error(`no token: ${status} ${JSON.stringify(json)}`);
    this.#tokens.set(resource, json.access_token);
    return json.access_token;
  }

  async arm(method: Dispatcher.HttpMethod, path: string, body?: object): Promise<Reply> {
    const url = new URL(path, this.admin.server);
    url.searchParams.set('api-version', '2024-11-01');
    return this.#call(url, method, await this.token('https://management.azure.com'), body);
  }

  async vault(name: string, method: Dispatcher.HttpMethod, path: string, body?: object): Promise<Reply> {
    const url = new URL(path, this.admin.server);
    url.searchParams.set('api-version', '7.5');
    const token = await this.token('https://vault.azure.net');
    return this.#call(url, method, token, body, `${name}.${this.admin.vaultDnsSuffix}`);
  }

  /** A vault in which the administrator may do everything. */
  async makeVault(name: string, group = 'rg'): Promise<void> {
    const scope = `/subscriptions/${this.admin.subscriptionId}/resourceGroups/${group}`;
    await this.#expect(this.arm('PUT', scope, { location: 'local' }));
    const properties = {
      tenantId: this.admin.tenantId,
      sku: { family: 'A', name: 'standard' },
      enableRbacAuthorization: true,
      enabledForDiskEncryption: true,
    };
    const path = `${scope}/providers/Microsoft.KeyVault/vaults/${name}`;
    await this.#expect(this.arm('PUT', path, { location: 'local', properties }));
  }

  async #expect(reply: Promise<Reply>): Promise<void> {
    const { status, json } = await reply;
    if (status >= 300) throw new Error(`refused: ${status} ${JSON.stringify(json)}`);
  }

  async #call(url: URL, method: Dispatcher.HttpMethod, token: string, body?: object, host?: string): Promise<Reply> {
    return this.#send(url, method, {
      headers: {
        authorization: `Bearer ${token}`,
        ...(host !== undefined && { host }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      body: body === undefined ? null : JSON.stringify(body),
    });
  }

  async #send(
    url: URL,
    method: Dispatcher.HttpMethod,
    { body, headers }: { readonly body: string | null; readonly headers: Record<string, string> },
  ): Promise<Reply> {
    const path = url.pathname + url.search;
    const reply = await this.#agent.request({ origin: url.origin, path, method, headers, body });
    const text = await reply.body.text();
    return { status: reply.statusCode, headers: reply.headers, json: text === '' ? null : JSON.parse(text) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy();
  }
}
