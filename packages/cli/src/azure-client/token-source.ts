import { KannukiError, SecretBytes } from '@kannuki/core';
import { clientAssertion } from './client-assertion.ts';
import { exchange, type Way } from './exchange.ts';
import { failureOf, retryAfterSeconds, sayable } from './failure.ts';
import type { CachedToken } from './login-file.ts';

/** Who asks for tokens, and how it proves that. */
export interface Credential {
  readonly tenantId: string;
  readonly clientId: string;
  /** Stays the caller's. */
  readonly clientSecret: SecretBytes | undefined;
  readonly certificateFile: string | null;
}

/** A token that ends this soon is not used any more: the call must still arrive in time. */
const marginMilliseconds = 60_000;

/** Tokens by scope (client credentials, RFC 6749, 4.4), kept as long as they are good. */
export class TokenSource {
  readonly #way: Way & { readonly kind: 'https' };
  readonly #credential: Credential;
  readonly #tokens: Map<string, CachedToken>;
  readonly #onNew: (tokens: Readonly<Record<string, CachedToken>>) => Promise<void>;

  constructor(options: {
    readonly way: Way & { readonly kind: 'https' };
    readonly credential: Credential;
    readonly known?: Readonly<Record<string, CachedToken>>;
    /** Told of every new token, to keep it for the next process. */
    readonly onNew?: (tokens: Readonly<Record<string, CachedToken>>) => Promise<void>;
  }) {
    this.#way = options.way;
    this.#credential = options.credential;
    this.#tokens = new Map(Object.entries(options.known ?? {}));
    this.#onNew = options.onNew ?? (async () => {});
  }

  /** @throws KannukiError KNK-AZC-0008 where the login is refused, else as `exchange` and the server's status say */
  async token(audience: string): Promise<string> {
    const scope = `${audience.replace(/\/+$/, '')}/.default`;
    const known = this.#tokens.get(scope);
    if (known !== undefined && known.expiresAt - marginMilliseconds > Date.now()) return known.token;
    const fresh = await this.#request(scope);
    this.#tokens.set(scope, fresh);
    const usable = [...this.#tokens].filter(([, { expiresAt }]) => expiresAt > Date.now());
    await this.#onNew(Object.fromEntries(usable));
    return fresh.token;
  }

  /** After a 401: the server believes this token no more. */
  forget(audience: string): void {
    this.#tokens.delete(`${audience.replace(/\/+$/, '')}/.default`);
  }

  async #request(scope: string): Promise<CachedToken> {
    const path = `/${encodeURIComponent(this.#credential.tenantId)}/oauth2/v2.0/token`;
    using form = await this.#form(scope, `${this.#way.server}${path}`);
    const { status, headers, body } = await exchange(this.#way, {
      method: 'POST',
      path,
      host: undefined,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: form.bytes,
    });
    using answer = body;
    const data = parsed(answer.bytes);
    const { access_token: token, expires_in: seconds, error, error_description: why } = data;
    if (status === 200 && typeof token === 'string' && Number(seconds) > 0) {
      return { token, expiresAt: Date.now() + Math.min(Number(seconds), 86_400) * 1000 };
    }
    const { clientId: client, clientSecret } = this.#credential;
    const secrets = clientSecret === undefined ? [] : [clientSecret];
    if (status === 400 || status === 401 || status === 403) {
      const known = typeof error === 'string' ? error : `HTTP status ${status}`;
      const reason = `${known}${typeof why === 'string' ? `: ${why}` : ''}`;
      throw new KannukiError('KNK-AZC-0008', { details: { client, reason: sayable(reason, secrets) ?? known } });
    }
    if (status === 429) {
      const details = { what: 'a token', reason: 'too many attempts', seconds: retryAfterSeconds(headers) ?? 60 };
      throw new KannukiError('KNK-AZC-0003', { details });
    }
    throw failureOf({ status, headers, data, what: 'a token', secrets });
  }

  async #form(scope: string, endpoint: string): Promise<SecretBytes> {
    const { clientId, clientSecret, certificateFile } = this.#credential;
    const fields = new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId, scope });
    if (certificateFile !== null) {
      fields.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
      fields.set('client_assertion', await clientAssertion(certificateFile, clientId, endpoint));
    }
    const head = Buffer.from(fields.toString(), 'latin1');
    if (certificateFile !== null || clientSecret === undefined) return SecretBytes.copy(head);
    const name = Buffer.from('&client_secret=', 'latin1');
    using escaped = percentEncoded(clientSecret);
    const form = new Uint8Array(head.length + name.length + escaped.length);
    form.set(head);
    form.set(name, head.length);
    form.set(escaped.bytes, head.length + name.length);
    return SecretBytes.take(form);
  }
}

/** Every byte as `%XX`: longer than needed, and the same for all. */
function percentEncoded(secret: SecretBytes): SecretBytes {
  const digits = Buffer.from('0123456789ABCDEF', 'latin1');
  const output = new Uint8Array(secret.length * 3);
  for (const [index, byte] of secret.bytes.entries()) {
    output[index * 3] = 0x25;
    output[index * 3 + 1] = digits[byte >> 4] ?? 0;
    output[index * 3 + 2] = digits[byte & 15] ?? 0;
  }
  return SecretBytes.take(output);
}

function parsed(bytes: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** `oid` of a token, unchecked: the server that gave the token says so, and it is only used to name ourselves to it. */
export function objectIdOf(token: string): string | undefined {
  const claims = parsed(Buffer.from(token.split('.')[1] ?? '', 'base64url'));
  return typeof claims.oid === 'string' ? claims.oid : undefined;
}
