import type { SecretBytes } from '@kannuki/core';
import type { Audiences } from '../tokens/audiences.ts';
import { longestAudience } from '../tokens/audiences.ts';
import type { TokenIssuer } from '../tokens/token-issuer.ts';
import type { Authenticated, ClientAuthentication } from './client-authentication.ts';
import { readBasic, readTokenForm, type TokenForm } from './form.ts';
import { missingParameter, type Refusal, refusals } from './refusals.ts';

export interface TokenRequest {
  /** Taken over and wiped. */
  readonly body: Buffer;
  /** `Authorization`. */
  readonly authorization: string | undefined;
  /** Address of the peer. */
  readonly address: string;
  /** `scope` only, or the older `resource` too. */
  readonly version: 'v1' | 'v2';
}

export interface TokenEndpointOptions {
  readonly authentication: ClientAuthentication;
  readonly issuer: TokenIssuer;
  readonly audiences: Audiences;
}

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** Client credentials grant (RFC 6749, 4.4) with Entra's scopes, resources and answers. Knows no HTTP framework. */
export class TokenEndpoint {
  readonly #options: TokenEndpointOptions;

  constructor(options: TokenEndpointOptions) {
    this.#options = options;
  }

  /** @returns the body of a success, or what to refuse with */
  async answer({ body, authorization, address, version }: TokenRequest): Promise<object | Refusal> {
    const read = readTokenForm(body);
    if ('status' in read) return read;
    using form = read;
    const grant = form.fields.get('grant_type');
    if (grant === undefined) return missingParameter('grant_type');
    if (grant !== 'client_credentials') return refusals.grant;
    const audience = audienceOf(form, version);
    if (typeof audience !== 'string') return audience;
    // Said before anybody proves who they are: these names are no secret.
    if (!this.#options.audiences.isKnown(audience)) return refusals.resource;
    const client = await this.#authenticate(form, authorization, address);
    if ('status' in client) return client;
    const { token, notBefore, expiresAt, lifeSeconds } = await this.#options.issuer.issue(
      client.principal,
      audience,
      client.proof,
    );
    const expiresIn = lifeSeconds - 1;
    if (form.fields.has('scope')) {
      return { token_type: 'Bearer', expires_in: expiresIn, ext_expires_in: expiresIn, access_token: token };
    }
    return {
      token_type: 'Bearer',
      expires_in: String(expiresIn),
      ext_expires_in: String(expiresIn),
      expires_on: String(expiresAt),
      not_before: String(notBefore),
      resource: audience,
      access_token: token,
    };
  }

  async #authenticate(
    { fields, secret }: TokenForm,
    authorization: string | undefined,
    address: string,
  ): Promise<Authenticated | Refusal> {
    const { authentication } = this.#options;
    const assertion = fields.get('client_assertion');
    const basic = authorization === undefined ? undefined : readBasic(authorization);
    try {
      if ([assertion, secret, basic].filter((one) => one !== undefined).length > 1) return refusals.twoCredentials;
      const clientId = fields.get('client_id');
      if (assertion !== undefined) {
        if (fields.get('client_assertion_type') !== assertionType) return missingParameter('client_assertion_type');
        return await authentication.byAssertion(assertion, clientId, address);
      }
      const id = basic?.clientId ?? clientId;
      const given: SecretBytes | undefined = basic?.secret ?? secret;
      if (id === undefined) return missingParameter('client_id');
      if (given === undefined) return refusals.noCredential;
      return await authentication.bySecret(id, given, address);
    } finally {
      basic?.secret[Symbol.dispose]();
    }
  }
}

/** `aud`: the scope without `/.default`, with whatever slash is left of it; or the resource as it is. */
function audienceOf({ fields }: TokenForm, version: 'v1' | 'v2'): string | Refusal {
  const scope = fields.get('scope');
  if (scope !== undefined) {
    const [first = '', ...others] = scope.split(' ').filter((word) => word !== '');
    if (others.length > 0 || !first.endsWith('/.default') || first.length > longestAudience) return refusals.scope;
    return first.slice(0, -'/.default'.length);
  }
  if (version === 'v2') return missingParameter('scope');
  return fields.get('resource') ?? missingParameter('resource');
}
