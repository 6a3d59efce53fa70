import type { IncomingHttpHeaders } from 'node:http';
import { dirname } from 'node:path';
import { KannukiError, SecretBytes } from '@kannuki/core';
import { type Bounds, defaultBounds, exchange, type Incoming, type Way } from './exchange.ts';
import { failureOf } from './failure.ts';
import { decodeJson, encodeJson } from './secret-json.ts';
import type { TokenSource } from './token-source.ts';

/** Which part of the server is asked: ARM, the directory (Graph), or one vault. */
export type Plane = 'management' | 'graph' | { readonly vault: string };

export interface AzureRequest {
  readonly plane: Plane;
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';
  /** Percent-encoded (see `pathOf`), without query. */
  readonly path: string;
  /** Without the api-version, which each plane has. */
  readonly query?: Readonly<Record<string, string>>;
  readonly apiVersion?: string;
  /** JSON; a `SecretBytes` in it is sent as a string and never becomes one here. Stays the caller's. */
  readonly body?: object;
  /** What is asked, for people, should it fail. */
  readonly what: string;
  /** Name of the top-level member of the answer that is a secret. */
  readonly secretMember?: string;
  /** Statuses besides 2xx that are an answer and no failure. */
  readonly expected?: readonly number[];
}

export interface AzureReply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** `{}` where there is no body. */
  readonly data: Readonly<Record<string, unknown>>;
  /** The caller disposes it. */
  readonly secret: SecretBytes | undefined;
}

export interface ConnectionOptions {
  readonly way: Way;
  /** Undefined with the socket: nobody is asked who he is there. */
  readonly tokens?: TokenSource;
  /** Without a dot in front; may have a port. Default `vault.localhost`. */
  readonly vaultDnsSuffix?: string;
  /** `oid` of who is logged in; null for the administrator of this machine. */
  readonly objectId?: string | null;
  /** That of the login; without it the server is asked for its first. */
  readonly subscription?: Subscription;
  /** What the tokens are asked for with; taken over and wiped with the connection. */
  readonly clientSecret?: SecretBytes | undefined;
  readonly bounds?: Bounds;
}

export interface Subscription {
  readonly subscriptionId: string;
  readonly tenantId: string;
  readonly displayName: string;
  readonly state: string;
}

/** Api-versions of the planes; the server takes any, as Azure's clients of all ages need. */
const apiVersions = { management: '2022-07-01', vault: '7.4' } as const;

/** REQ-120, so that a name can never be more than one label of a host name. */
const vaultNamePattern = /^[A-Za-z](?:[A-Za-z0-9]|-(?!-)){1,22}[A-Za-z0-9]$/;

/** One server, spoken to as Azure: ARM, Graph and the vaults' data plane. */
export class AzureConnection implements Disposable {
  readonly kind: Way['kind'];
  /** Data folder of the server of this machine; null over the network. */
  readonly dataDirectory: string | null;
  readonly objectId: string | null;
  readonly #way: Way;
  readonly #tokens: TokenSource | undefined;
  readonly #vaultDnsSuffix: string;
  readonly #bounds: Bounds;
  readonly #clientSecret: SecretBytes | undefined;
  #subscription: Promise<Subscription> | undefined;

  constructor(options: ConnectionOptions) {
    this.kind = options.way.kind;
    this.dataDirectory = options.way.kind === 'socket' ? dirname(options.way.socketPath) : null;
    this.objectId = options.objectId ?? null;
    this.#way = options.way;
    this.#tokens = options.tokens;
    this.#vaultDnsSuffix = options.vaultDnsSuffix ?? 'vault.localhost';
    this.#bounds = options.bounds ?? defaultBounds;
    if (options.subscription !== undefined) this.#subscription = Promise.resolve(options.subscription);
    this.#clientSecret = options.clientSecret;
  }

  [Symbol.dispose](): void {
    this.#clientSecret?.[Symbol.dispose]();
  }

  /** @throws KannukiError as `failureOf` says for a status that is neither 2xx nor expected */
  async call(request: AzureRequest): Promise<AzureReply> {
    const { status, headers, body } = await this.#answer(request);
    using received = body;
    const decoded = decode(received.bytes, request.secretMember);
    if ((status >= 200 && status < 300) || request.expected?.includes(status) === true) {
      if (decoded !== undefined) return { status, headers, data: decoded.rest, secret: decoded.secret };
      throw new KannukiError('KNK-AZC-0007', {
        details: { what: request.what, reason: 'the answer is no JSON object' },
      });
    }
    decoded?.secret?.[Symbol.dispose]();
    const secrets = secretsIn(request.body);
    throw failureOf({ status, headers, data: decoded?.rest, what: request.what, secrets });
  }

  /**
   * All items of a collection, page after page.
   * @throws KannukiError KNK-AZC-0007 for a chain of pages that leads elsewhere or does not end
   */
  async list(request: Omit<AzureRequest, 'method' | 'secretMember'>): Promise<Record<string, unknown>[]> {
    const items: Record<string, unknown>[] = [];
    let next: AzureRequest = { ...request, method: 'GET' };
    for (let page = 0; page < 10_000; page += 1) {
      const { data } = await this.call(next);
      if (Array.isArray(data.value)) items.push(...(data.value as Record<string, unknown>[]));
      const link = data.nextLink;
      if (typeof link !== 'string' || link === '') return items;
      next = { ...next, ...this.#follow(link, request.what) };
    }
    throw new KannukiError('KNK-AZC-0007', { details: { what: request.what, reason: 'its pages do not end' } });
  }

  /** The subscription of the login, or the server's first, which is asked for once. */
  subscription(): Promise<Subscription> {
    this.#subscription ??= this.#findSubscription();
    return this.#subscription;
  }

  async subscriptions(): Promise<Subscription[]> {
    const found = await this.list({ plane: 'management', path: '/subscriptions', what: 'subscriptions' });
    return found.map((one) => ({
      subscriptionId: String(one.subscriptionId),
      tenantId: String(one.tenantId),
      displayName: String(one.displayName),
      state: String(one.state),
    }));
  }

  async #findSubscription(): Promise<Subscription> {
    const [first] = await this.subscriptions();
    if (first !== undefined) return first;
    throw new KannukiError('KNK-AZC-0001', { details: { what: 'a subscription', reason: 'the server shows none' } });
  }

  /** Path and query of a link that the server gave; its host is not believed: the same plane is asked again. */
  #follow(link: string, what: string): Pick<AzureRequest, 'path' | 'query'> {
    if (!URL.canParse(link, 'https://server/')) {
      throw new KannukiError('KNK-AZC-0007', { details: { what, reason: 'it names a page that is no address' } });
    }
    const { pathname, searchParams } = new URL(link, 'https://server/');
    return { path: pathname, query: Object.fromEntries(searchParams) };
  }

  async #answer(request: AzureRequest): Promise<Incoming> {
    const host = this.#hostOf(request.plane);
    using body = request.body === undefined ? undefined : encodeJson(request.body);
    const send = async (audience: string | undefined): Promise<Incoming> => {
      const token = audience === undefined ? undefined : await this.#tokens?.token(audience);
      return exchange(
        this.#way,
        {
          method: request.method,
          // Names of groups may hold letters of any language; ids come as the server wrote them.
          path: `${request.path.replace(/[^\x21-\x7e]+/gu, encodeURIComponent)}?${queryOf(request)}`,
          host,
          headers: {
            ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          },
          body: body?.bytes,
        },
        this.#bounds,
      );
    };
    // Awaited here: the body is wiped when this function is left.
    if (this.#tokens === undefined) return await send(undefined);
    const audience = this.#audienceOf(request.plane);
    const first = await send(audience);
    if (first.status !== 401) return first;
    // The token may have been taken back, or the vault wants one for another resource (REQ-323): once more, not oftener.
    const challenged = typeof request.plane === 'object' ? challengeOf(first, host ?? '') : undefined;
    first.body[Symbol.dispose]();
    this.#tokens.forget(challenged ?? audience);
    return await send(challenged ?? audience);
  }

  /** As in a custom cloud: the server's own URL is the resource of ARM and of the directory. */
  #audienceOf(plane: Plane): string {
    if (typeof plane === 'object') return `https://${this.#vaultDnsSuffix}`;
    return this.#way.kind === 'https' ? this.#way.server : '';
  }

  #hostOf(plane: Plane): string | undefined {
    if (typeof plane !== 'object') return undefined;
    if (!vaultNamePattern.test(plane.vault)) {
      const details = {
        word: '--vault-name',
        value: plane.vault.slice(0, 60),
        expected: '3 to 24 letters, digits and single hyphens, beginning with a letter',
        command: 'kannuki keyvault',
      };
      throw new KannukiError('KNK-CLI-0004', { details });
    }
    return `${plane.vault.toLowerCase()}.${this.#vaultDnsSuffix}`;
  }
}

/** A path from its parts, each percent-encoded. */
export function pathOf(...parts: readonly string[]): string {
  return parts.map((part) => `/${encodeURIComponent(part)}`).join('');
}

function queryOf({ plane, query, apiVersion }: AzureRequest): string {
  const usual = typeof plane === 'object' ? apiVersions.vault : apiVersions.management;
  const all = plane === 'graph' ? { ...query } : { 'api-version': apiVersion ?? usual, ...query };
  return new URLSearchParams(all).toString().replaceAll('+', '%20');
}

function decode(
  bytes: Uint8Array,
  secretMember: string | undefined,
): { readonly rest: Readonly<Record<string, unknown>>; readonly secret: SecretBytes | undefined } | undefined {
  if (bytes.length === 0) return { rest: {}, secret: undefined };
  if (secretMember !== undefined) return decodeJson(bytes, secretMember);
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? { rest: value as Record<string, unknown>, secret: undefined }
      : undefined;
  } catch {
    return undefined;
  }
}

/** The resource that a vault's challenge names, where it is the vault's own domain (as Azure's clients check it). */
function challengeOf({ headers }: Incoming, host: string): string | undefined {
  const named = /\bresource="(https:\/\/[^"]+)"/.exec(headers['www-authenticate'] ?? '')?.[1];
  if (named === undefined || !URL.canParse(named)) return undefined;
  return host.replace(/:\d+$/, '').endsWith(`.${new URL(named).hostname}`) ? named : undefined;
}

function secretsIn(value: unknown): SecretBytes[] {
  if (value instanceof SecretBytes) return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(secretsIn) : [];
}
