import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { KannukiError, SecretBytes } from '@kannuki/core';
import { isWrapAlgorithm } from '../port.ts';
import type { ScratchVault } from './scratch-vaults.ts';
import { serveTls, type TestCertificates, type TestServer } from './tls-server.ts';

type Reply = readonly [status: number, body?: unknown, headers?: Readonly<Record<string, string>>];

const tenant = '11111111-2222-3333-4444-555555555555';
const seconds = 1_700_000_000;

/**
 * As much of Entra ID and Key Vault as the driver uses, before a real embedded vault: OIDC discovery, a token for a
 * client's secret, the challenge, keys, wrapping, secrets, and errors as Azure writes them (REST reference of Key Vault
 * 7.4). It is no Azure.
 */
export class AzureServer implements AsyncDisposable {
  readonly tenant = tenant;
  readonly clients = new Map<string, string>([['app', 'CANARY-client-secret']]);
  readonly requests: {
    readonly method: string;
    readonly path: string;
    readonly authorized: boolean;
    readonly bytes: number;
  }[] = [];
  /** Answers in the place of the vault, never of signing in; taken once each. */
  readonly instead: Reply[] = [];
  readonly #scratch: ScratchVault;
  readonly #tokens = new Set<string>();
  #server: TestServer | undefined;

  private constructor(scratch: ScratchVault) {
    this.#scratch = scratch;
  }

  static async start(certificates: TestCertificates, scratch: ScratchVault): Promise<AzureServer> {
    const fake = new AzureServer(scratch);
    fake.#server = await serveTls(
      certificates,
      async (request, body, response) => {
        const url = new URL(request.url ?? '', fake.origin);
        const [status, answer, headers] = await fake.#handle(request.method ?? '', url, request.headers, body);
        response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers });
        response.end(answer === undefined ? '' : JSON.stringify(answer));
      },
      { requestCert: false },
    );
    return fake;
  }

  get origin(): string {
    return this.#server?.url ?? 'https://localhost';
  }

  get host(): string {
    return new URL(this.origin).host;
  }

  /** The id of an object as this server's clients see it. */
  outside(id: string): string {
    return id.replace(this.#scratch.vault.vaultUri, `${this.origin}/`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
  }

  async #handle(method: string, url: URL, headers: IncomingHttpHeaders, body: Buffer): Promise<Reply> {
    const { pathname } = url;
    if (pathname === `/${tenant}/v2.0/.well-known/openid-configuration`) return this.#discovery();
    if (method === 'POST' && pathname === `/${tenant}/oauth2/v2.0/token`) return this.#token(body);
    const authorized = this.#tokens.has(headers.authorization?.replace(/^Bearer /, '') ?? '');
    this.requests.push({ method, path: pathname, authorized, bytes: body.length });
    if (!authorized) {
      const challenge = `Bearer authorization="${this.origin}/${tenant}", resource="https://vault.example"`;
      return [
        401,
        failure('Unauthorized', 'AKV10000: Request is missing a Bearer or PoP token.'),
        { 'www-authenticate': challenge },
      ];
    }
    const instead = this.instead.shift();
    if (instead !== undefined) return instead;
    if (!url.searchParams.has('api-version')) return [400, failure('MissingApiVersionParameter', 'api-version')];
    try {
      return await this.#vault(method, pathname, body);
    } catch (error) {
      if (error instanceof KannukiError) return translated(error, pathname);
      throw error;
    }
  }

  #discovery(): Reply {
    const issuer = `${this.origin}/${tenant}/v2.0`;
    const endpoint = (name: string): string => `${this.origin}/${tenant}/oauth2/v2.0/${name}`;
    const document = {
      issuer,
      authorization_endpoint: endpoint('authorize'),
      token_endpoint: endpoint('token'),
      end_session_endpoint: endpoint('logout'),
      jwks_uri: `${this.origin}/${tenant}/discovery/v2.0/keys`,
    };
    return [200, document];
  }

  #token(body: Buffer): Reply {
    const form = new URLSearchParams(body.toString());
    const secret = this.clients.get(form.get('client_id') ?? '');
    if (secret === undefined || secret !== form.get('client_secret')) {
      return [401, { error: 'invalid_client', error_description: 'AADSTS7000215: Invalid client secret provided.' }];
    }
    if (form.get('scope') !== 'https://vault.example/.default')
      return [400, { error: 'invalid_scope', error_description: 'scope' }];
    return [200, { token_type: 'Bearer', expires_in: 3599, access_token: this.issueToken() }];
  }

  /** As the metadata service of a VM has one. */
  issueToken(): string {
    const token = randomUUID();
    this.#tokens.add(token);
    return token;
  }

  async #vault(method: string, path: string, body: Buffer): Promise<Reply> {
    const { vault } = this.#scratch;
    const [collection, name = '', version = '', operation] = path.split('/').slice(1);
    const id = `${vault.vaultUri}${collection}/${name}${version === '' ? '' : `/${version}`}`;
    const fields = (body.length === 0 ? {} : JSON.parse(body.toString())) as Readonly<Record<string, unknown>>;
    if (method === 'GET' && collection === 'keys') {
      const key = await vault.keyInfo(id);
      // The embedded vault does not show its public keys; the driver only measures the modulus.
      const n = Buffer.alloc(key.bits / 8, 0xff).toString('base64url');
      const jwk = { kid: this.outside(key.id), kty: key.kind, key_ops: key.operations, n, e: 'AQAB' };
      return [200, { key: jwk, attributes: attributes(key.enabled), tags: {} }];
    }
    if (method === 'POST' && collection === 'keys' && (operation === 'wrapkey' || operation === 'unwrapkey')) {
      const { alg, value } = fields;
      if (typeof alg !== 'string' || !isWrapAlgorithm(alg) || typeof value !== 'string') {
        return [400, failure('BadParameter', 'Property has invalid value')];
      }
      using bytes = SecretBytes.take(Buffer.from(value, 'base64url'));
      const answer = async (): Promise<Uint8Array> => {
        if (operation === 'wrapkey') return (await vault.wrapKey(id, alg, bytes)).value;
        using opened = await vault.unwrapKey(id, alg, bytes.bytes);
        return Uint8Array.from(opened.bytes);
      };
      return [200, { kid: this.outside(id), value: Buffer.from(await answer()).toString('base64url') }];
    }
    if (method === 'PUT' && collection === 'secrets') {
      const { value, contentType = null, tags = {} } = fields;
      // What a request without its body looks like to Azure.
      if (typeof value !== 'string') return [400, failure('BadParameter', 'The secret value is missing')];
      using bytes = SecretBytes.take(Buffer.from(value));
      const stored = { contentType: contentType as string | null, tags: tags as Readonly<Record<string, string>> };
      const made = await vault.setSecret(name, bytes, stored);
      return [200, { value, id: this.outside(made.id), ...stored, attributes: attributes(true) }];
    }
    if (method === 'GET' && collection === 'secrets' && version === 'versions') {
      const versions = vault.secretVersions(name);
      const value = versions.map((each) => ({ id: this.outside(each.id), attributes: attributes(each.enabled) }));
      if (value.length === 0) throw new KannukiError('KNK-KVT-0003', { details: { object: name } });
      return [200, { value, nextLink: null }];
    }
    if (method === 'GET' && collection === 'secrets') {
      const secret = await vault.getSecret(id);
      using value = secret.value;
      const { contentType, tags } = secret;
      const text = Buffer.from(value.bytes).toString();
      const shown = contentType === null ? {} : { contentType };
      return [
        200,
        { value: text, id: this.outside(secret.id), ...shown, tags, attributes: attributes(secret.enabled) },
      ];
    }
    if (method === 'PATCH' && collection === 'secrets') {
      const { enabled } = fields.attributes as { enabled?: unknown };
      if (typeof enabled !== 'boolean') return [400, failure('BadParameter', 'Property has invalid value')];
      await vault.setSecretEnabled(id, enabled);
      return [200, { id: this.outside(id), attributes: attributes(enabled) }];
    }
    return [404, failure('NotFound', 'no such path')];
  }
}

function attributes(enabled: boolean): object {
  return { enabled, created: seconds, updated: seconds, recoveryLevel: 'Recoverable', recoverableDays: 90 };
}

function failure(code: string, message: string, inner?: string): object {
  return { error: { code, message, ...(inner === undefined ? {} : { innererror: { code: inner } }) } };
}

function translated({ code }: KannukiError, path: string): Reply {
  const kind = path.startsWith('/keys/') ? 'Key' : 'Secret';
  const inOtherWords: Readonly<Record<string, Reply>> = {
    'KNK-KVT-0002': [403, failure('Forbidden', 'Operation is not permitted on this key.', 'KeyOperationForbidden')],
    'KNK-KVT-0003': [404, failure(`${kind}NotFound`, 'A key or secret with this id was not found')],
    'KNK-KVT-0004': [403, failure('Forbidden', 'Operation is not allowed on a disabled object.', `${kind}Disabled`)],
  };
  return inOtherWords[code] ?? [400, failure('BadParameter', 'Property has invalid value')];
}
