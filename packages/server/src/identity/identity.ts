import { randomUUID } from 'node:crypto';
import { dirname } from 'node:path';
import type { OnFailure } from '../http/error-reply.ts';
import type { ServerDatabase } from '../storage/database.ts';
import { PrincipalStore } from '../storage/principal-store.ts';
import type { SettingsStore } from '../storage/settings-store.ts';
import type { Authority } from './authority.ts';
import { ManagedIdentities } from './managed-identity/managed-identities.ts';
import { AttemptLimits } from './oauth/attempt-limits.ts';
import { ClientAssertions } from './oauth/client-assertion.ts';
import { ClientAuthentication } from './oauth/client-authentication.ts';
import { assertionAudiencePaths } from './oauth/discovery.ts';
import { HostNames } from './oauth/host-names.ts';
import { TokenEndpoint } from './oauth/token-endpoint.ts';
import { Principals } from './principals/principals.ts';
import { type ScryptParameters, SecretHasher } from './principals/secret-hash.ts';
import { Audiences } from './tokens/audiences.ts';
import { JwtTokenVerifier } from './tokens/jwt-token-verifier.ts';
import { SigningKeys } from './tokens/signing-keys.ts';
import { TokenIssuer, type TokenIssuerOptions } from './tokens/token-issuer.ts';
import { TokenSigner } from './tokens/token-signer.ts';

export interface IdentityOptions {
  readonly database: ServerDatabase;
  readonly settings: SettingsStore;
  /** Its folder holds the keys that sign tokens as well. */
  readonly authority: Pick<Authority, 'certificateFile'>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Names and addresses of the server, without port. */
  readonly serverNames: readonly string[];
  /** Suffixes of vaults' names, without leading dot and port. The first is told to clients. */
  readonly vaultDnsSuffixes: readonly [string, ...string[]];
  /** 300 to 86400; default 3600. */
  readonly tokenSeconds?: number;
  /** For secrets that are made from now on. Default N = 2^15, r = 8, p = 1. */
  readonly scrypt?: ScryptParameters;
  readonly onFailure?: OnFailure;
}

/** Who there is in the one tenant, how they prove it, and the tokens that say so. There is no HTTP below here. */
export class Identity {
  readonly tenantId: string;
  readonly principals: Principals;
  readonly managedIdentities: ManagedIdentities;
  readonly verifier: JwtTokenVerifier;
  readonly issuer: TokenIssuer;
  readonly signingKeys: SigningKeys;
  readonly audiences: Audiences;
  readonly tokenEndpoint: TokenEndpoint;
  readonly hostNames: HostNames;
  readonly hasher: SecretHasher;
  /** Without leading dot and port. */
  readonly vaultDnsSuffix: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;

  readonly #signer = new TokenSigner();

  /** Nothing is made here: keys are when the first token is asked for, the administrator by `ensureAdministrator`. */
  constructor({ database, settings, authority, now, ...options }: IdentityOptions) {
    const { serverNames, vaultDnsSuffixes, tokenSeconds = 3600, onFailure = () => undefined } = options;
    const store = new PrincipalStore(database);
    const tenantId = tenantOf(settings);
    this.tenantId = tenantId;
    this.now = now;
    [this.vaultDnsSuffix] = vaultDnsSuffixes;
    this.hostNames = new HostNames(serverNames);
    this.hasher = new SecretHasher(options.scrypt === undefined ? {} : { parameters: options.scrypt });
    this.principals = new Principals({ store, settings, hasher: this.hasher, now });
    this.managedIdentities = new ManagedIdentities({ store, tenantId, now });
    this.audiences = new Audiences({ serverNames, vaultDnsSuffixes });
    this.signingKeys = new SigningKeys({
      folder: dirname(authority.certificateFile),
      now,
      onFailure: (error) => onFailure({ trace: randomUUID(), what: 'make the next key that signs tokens', error }),
    });
    this.verifier = new JwtTokenVerifier({
      keys: this.signingKeys,
      audiences: this.audiences,
      tenantId,
      principal: (objectId) => store.byObjectId(objectId),
      now,
    });
    const onIssued: TokenIssuerOptions['onIssued'] = (token, claims) => this.verifier.remember(token, claims);
    this.issuer = new TokenIssuer({
      keys: this.signingKeys,
      signer: this.#signer,
      tenantId,
      lifeSeconds: tokenSeconds,
      now,
      onIssued,
    });
    const paths = assertionAudiencePaths(tenantId);
    const assertions = new ClientAssertions({ store, now, isAudience: (audience) => this.#isOwnPath(audience, paths) });
    const limits = new AttemptLimits();
    const authentication = new ClientAuthentication({ store, hasher: this.hasher, limits, assertions, now });
    this.tokenEndpoint = new TokenEndpoint({ authentication, issuer: this.issuer, audiences: this.audiences });
  }

  /** Ends the threads that sign. */
  async close(): Promise<void> {
    await this.#signer.close();
  }

  #isOwnPath(audience: string, paths: ReadonlySet<string>): boolean {
    const url = URL.parse(audience);
    if (url === null || url.search !== '' || url.hash !== '' || url.username !== '') return false;
    return this.hostNames.isOwnUrl(url) && paths.has(url.pathname.replace(/\/$/, '').toLowerCase());
  }
}

/** The tenant's id, made where there is none. */
function tenantOf(settings: SettingsStore): string {
  const known = settings.get('tenant-id');
  if (known !== undefined) return known;
  const id = randomUUID();
  settings.set('tenant-id', id);
  return id;
}
