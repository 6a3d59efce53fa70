import { createHash, generateKeyPair, type KeyObject, X509Certificate } from 'node:crypto';
import { promisify } from 'node:util';
import { decodeJwt, decodeProtectedHeader, type JWTPayload, jwtVerify } from 'jose';
import type { Principal, PrincipalStore } from '../../storage/principal-store.ts';
import { addressKey } from './attempt-limits.ts';

export interface ClientAssertionsOptions {
  readonly store: PrincipalStore;
  /** Whether an `aud` is a token endpoint of this server. */
  readonly isAudience: (audience: string) => boolean;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

const longestAssertion = 8192;
/** MSAL makes them for 10 minutes. */
const longestLifeSeconds = 15 * 60;
const leewaySeconds = 60;
const maximumRemembered = 50_000;
const maximumOfOne = 1_000;
const sweepMilliseconds = 60_000;

const generate = promisify(generateKeyPair);

/**
 * Clients that prove themselves with a certificate: a JWT that they signed (RFC 7523, `private_key_jwt`; RS256, PS256, ES256), whose
 * `x5t#S256` or `x5t` names a certificate that was registered for them.
 *
 * An assertion belongs to the address that showed it first, and is refused from any other. It is not refused a second time from the
 * same one: MSAL shows one assertion again for ten minutes, for each further resource, and would fail otherwise.
 */
export class ClientAssertions {
  readonly #options: ClientAssertionsOptions;
  readonly #seen = new Map<string, { readonly place: string; readonly principal: string; readonly until: number }>();
  readonly #seenOf = new Map<string, number>();
  #strangers: Promise<Readonly<Record<'rsa' | 'ec', KeyObject>>> | undefined;
  #sweepAt = 0;

  constructor(options: ClientAssertionsOptions) {
    this.#options = options;
  }

  /** How many assertions are remembered. */
  get remembered(): number {
    return this.#seen.size;
  }

  /** @param clientId as the form names it; may be left out. @returns undefined for whatever is wrong */
  async verify(assertion: string, clientId: string | undefined, address: string): Promise<Principal | undefined> {
    if (assertion.length > longestAssertion) return undefined;
    const now = this.#options.now();
    try {
      const claimed = clientId ?? decodeJwt(assertion).sub;
      const principal = this.#options.store.byAppId(String(claimed).toLowerCase());
      const registered = principal === undefined ? undefined : this.#certificateKey(assertion, principal, now);
      // A stranger costs a signature check as well.
      const key = registered ?? (await this.#strangerKey(assertion));
      const { payload } = await jwtVerify(assertion, key, {
        algorithms: key.asymmetricKeyType === 'ec' ? ['ES256'] : ['RS256', 'PS256'],
        currentDate: new Date(now),
        clockTolerance: leewaySeconds,
        requiredClaims: ['iss', 'sub', 'aud', 'exp', 'jti'],
      });
      if (principal?.enabled !== true || registered === undefined) return undefined;
      if (!this.#isInOrder(payload, principal, now)) return undefined;
      return this.#isFirstOrSamePlace(payload, principal, addressKey(address), now) ? principal : undefined;
    } catch (error) {
      // Whatever is wrong with what a client sent; the store throws errors of its own kind.
      const { code } = error as { code?: unknown };
      const isTheirs =
        error instanceof TypeError || error instanceof SyntaxError || /^ERR_(?:JW|JOSE)/.test(String(code));
      if (isTheirs) return undefined;
      throw error;
    }
  }

  #certificateKey(assertion: string, { objectId }: Principal, now: number): KeyObject | undefined {
    const header = decodeProtectedHeader(assertion) as Record<string, unknown>;
    const digits = (value: unknown): string | undefined =>
      typeof value === 'string' ? Buffer.from(value, 'base64url').toString('hex') : undefined;
    const sha256 = digits(header['x5t#S256']);
    const sha1 = digits(header.x5t);
    if (sha256 === undefined && sha1 === undefined) return undefined;
    const found = this.#options.store
      .certificates(objectId)
      .find((one) => (sha256 === undefined || one.sha256 === sha256) && (sha1 === undefined || one.sha1 === sha1));
    if (found === undefined) return undefined;
    const certificate = new X509Certificate(found.certificate);
    const isInTime = certificate.validFromDate.getTime() <= now && now < certificate.validToDate.getTime();
    return isInTime ? certificate.publicKey : undefined;
  }

  #isInOrder({ iss, sub, aud, exp, jti }: JWTPayload, { appId }: Principal, now: number): boolean {
    if (iss?.toLowerCase() !== appId || sub?.toLowerCase() !== appId) return false;
    if (typeof aud !== 'string' || !this.#options.isAudience(aud)) return false;
    if (exp === undefined || exp > now / 1000 + longestLifeSeconds + leewaySeconds) return false;
    return typeof jti === 'string' && jti.length > 0 && jti.length <= 200;
  }

  #isFirstOrSamePlace({ jti, exp = 0 }: JWTPayload, { appId }: Principal, place: string, now: number): boolean {
    const key = createHash('sha256').update(`${appId} ${jti}`).digest('base64');
    const seen = this.#seen.get(key);
    if (seen !== undefined && seen.until > now) return seen.place === place;
    this.#dropOld(now);
    // Full means refused: to forget one would be to let it in twice.
    const ofThis = this.#seenOf.get(appId) ?? 0;
    if (ofThis >= maximumOfOne || this.#seen.size >= maximumRemembered) return false;
    this.#seen.set(key, { place, principal: appId, until: (exp + leewaySeconds) * 1000 });
    this.#seenOf.set(appId, ofThis + 1);
    return true;
  }

  #dropOld(now: number): void {
    if (now < this.#sweepAt && this.#seen.size < maximumRemembered) return;
    this.#sweepAt = now + sweepMilliseconds;
    for (const [key, { principal, until }] of this.#seen) {
      if (until > now) continue;
      this.#seen.delete(key);
      const left = (this.#seenOf.get(principal) ?? 1) - 1;
      if (left > 0) this.#seenOf.set(principal, left);
      else this.#seenOf.delete(principal);
    }
  }

  /** A key that signed nothing, of the kind that the assertion says it is signed with. */
  async #strangerKey(assertion: string): Promise<KeyObject> {
    this.#strangers ??= (async () => {
      const [rsa, ec] = await Promise.all([
        generate('rsa', { modulusLength: 2048 }),
        generate('ec', { namedCurve: 'prime256v1' }),
      ]);
      return { rsa: rsa.publicKey, ec: ec.publicKey };
    })();
    const keys = await this.#strangers;
    return decodeProtectedHeader(assertion).alg === 'ES256' ? keys.ec : keys.rsa;
  }
}
