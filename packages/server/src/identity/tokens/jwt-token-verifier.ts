import { hash } from 'node:crypto';
import { type JWTPayload, jwtVerify } from 'jose';
import type { Principal } from '../../storage/principal-store.ts';
import type { Audiences } from './audiences.ts';
import type { SigningKeys } from './signing-keys.ts';
import { issuerOf } from './token-issuer.ts';
import type { TokenPlane, TokenVerifier, VerifiedToken } from './token-verifier.ts';

export interface JwtTokenVerifierOptions {
  readonly keys: SigningKeys;
  readonly audiences: Audiences;
  readonly tenantId: string;
  /** Looked at on every call: a principal that was deleted or disabled is out at once. */
  readonly principal: (objectId: string) => Principal | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Tokens that are remembered at most. */
  readonly cacheSize?: number;
}

interface Known extends VerifiedToken {
  readonly notBefore: number;
}

/** Ours have about 1 KB. What is longer is not looked at. */
const longestToken = 4096;
/** A clock that is set right may go back a little. */
const leewayMilliseconds = 30_000;

/**
 * Checks bearer tokens: RS256 and nothing else, by a key of ours, of our tenant, for the plane, in its time, of a principal
 * that still is. The result of the signature is remembered under the token's SHA-256 until the token is over; times, plane
 * and principal are looked at on every call. What was refused is not remembered, so hostile tokens take no memory.
 */
export class JwtTokenVerifier implements TokenVerifier {
  readonly #options: JwtTokenVerifierOptions;
  readonly #known = new Map<string, Known>();
  readonly #cacheSize: number;
  #signatures = 0;

  constructor(options: JwtTokenVerifierOptions) {
    this.#options = options;
    this.#cacheSize = options.cacheSize ?? 20_000;
  }

  /** How many tokens are remembered, and how many signatures were looked at so far. */
  get figures(): { readonly remembered: number; readonly signatures: number } {
    return { remembered: this.#known.size, signatures: this.#signatures };
  }

  async verify(token: string, plane: TokenPlane): Promise<VerifiedToken | undefined> {
    if (token.length > longestToken) return undefined;
    const digest = digestOf(token);
    const known = this.#known.get(digest) ?? (await this.#check(token));
    if (known === undefined) return undefined;
    // Last used, last to go.
    this.#known.delete(digest);
    const now = this.#options.now();
    if (known.expiresAt + leewayMilliseconds <= now) return undefined;
    this.#known.set(digest, known);
    this.#makeRoom();

    if (known.notBefore - leewayMilliseconds > now) return undefined;
    if (!this.#options.audiences.isFor(known.audience, plane)) return undefined;
    const principal = this.#options.principal(known.objectId);
    if (principal?.enabled !== true || principal.appId !== known.applicationId) return undefined;
    const { objectId, applicationId, tenantId, audience, expiresAt } = known;
    return { objectId, applicationId, tenantId, audience, expiresAt };
  }

  /** A token that was signed here a moment ago, to the byte: the first call with it needs no look at its signature. */
  remember(token: string, claims: JWTPayload): void {
    const known = knownFrom(claims, this.#options.tenantId);
    if (known === undefined) return;
    this.#known.set(digestOf(token), known);
    this.#makeRoom();
  }

  async #check(token: string): Promise<Known | undefined> {
    const { keys, tenantId, now } = this.#options;
    try {
      const { payload } = await jwtVerify(
        token,
        async ({ kid }) => {
          const key = typeof kid === 'string' ? await keys.publicKey(kid) : undefined;
          if (key === undefined) throw new UnknownKey();
          this.#signatures += 1;
          return key;
        },
        {
          algorithms: ['RS256'],
          typ: 'JWT',
          issuer: issuerOf(tenantId),
          currentDate: new Date(now()),
          clockTolerance: leewayMilliseconds / 1000,
          requiredClaims: ['aud', 'iss', 'iat', 'nbf', 'exp', 'appid', 'oid', 'sub', 'tid', 'ver'],
        },
      );
      return knownFrom(payload, tenantId);
    } catch (error) {
      if (isRefusal(error)) return undefined;
      throw error;
    }
  }

  #makeRoom(): void {
    const [oldest] = this.#known.keys();
    if (this.#known.size > this.#cacheSize && oldest !== undefined) this.#known.delete(oldest);
  }
}

function digestOf(token: string): string {
  return hash('sha256', token, 'base64');
}

class UnknownKey extends Error {}

/** Whatever is wrong with a token; a key file that cannot be read is something else, and the operator's to know. */
function isRefusal(error: unknown): boolean {
  if (error instanceof UnknownKey || error instanceof TypeError || error instanceof SyntaxError) return true;
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && (code.startsWith('ERR_JW') || code.startsWith('ERR_JOSE'));
}

/** Our signature is on it, so its claims are what we wrote; they are read as if they were not. */
function knownFrom(payload: JWTPayload, tenantId: string): Known | undefined {
  const { aud, oid, sub, appid, tid, exp, nbf, ver } = payload;
  if (typeof aud !== 'string' || typeof oid !== 'string' || typeof appid !== 'string') return undefined;
  if (typeof exp !== 'number' || typeof nbf !== 'number') return undefined;
  if (sub !== oid || tid !== tenantId || ver !== '1.0') return undefined;
  return {
    objectId: oid,
    applicationId: appid,
    tenantId,
    audience: aud,
    notBefore: nbf * 1000,
    expiresAt: exp * 1000,
  };
}
