import { randomBytes } from 'node:crypto';
import type { JWTPayload } from 'jose';
import type { Principal } from '../../storage/principal-store.ts';
import type { SigningKeys } from './signing-keys.ts';
import type { TokenSigner } from './token-signer.ts';

export interface IssuedToken {
  readonly token: string;
  /** Seconds since 1970. */
  readonly notBefore: number;
  readonly expiresAt: number;
  readonly lifeSeconds: number;
}

export interface TokenIssuerOptions {
  readonly keys: SigningKeys;
  readonly signer: TokenSigner;
  readonly tenantId: string;
  readonly lifeSeconds: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Is given each token with the claims that were signed. */
  readonly onIssued?: (token: string, claims: JWTPayload) => void;
}

export const shortestTokenSeconds = 300;
export const longestTokenSeconds = 24 * 3600;

/** `iss` of every token, as in Entra's tokens of version 1.0: the same by whatever name the server is reached. */
export function issuerOf(tenantId: string): string {
  return `https://sts.windows.net/${tenantId}/`;
}

/** How a principal has proved itself (`appidacr`): with nothing of its own, with a secret, with a certificate. */
export type Proof = '0' | '1' | '2';

/** Signs tokens as Entra's of version 1.0: JWT, RS256. Signing runs in workers. */
export class TokenIssuer {
  readonly #options: TokenIssuerOptions;

  constructor(options: TokenIssuerOptions) {
    this.#options = options;
  }

  async issue(principal: Principal, audience: string, proof: Proof): Promise<IssuedToken> {
    const { keys, signer, tenantId, lifeSeconds, now } = this.#options;
    const key = await keys.signer();
    const notBefore = Math.floor(now() / 1000);
    const expiresAt = notBefore + lifeSeconds;
    const claims = {
      aud: audience,
      iss: issuerOf(tenantId),
      iat: notBefore,
      nbf: notBefore,
      exp: expiresAt,
      appid: principal.appId,
      appidacr: proof,
      idp: issuerOf(tenantId),
      idtyp: 'app',
      oid: principal.objectId,
      sub: principal.objectId,
      tid: tenantId,
      uti: randomBytes(16).toString('base64url'),
      ver: '1.0',
    };
    // A JWS in its compact form (RFC 7515, 7.1). To check one is jose's.
    const parts = [{ typ: 'JWT', alg: 'RS256', kid: key.kid }, claims];
    const input = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    const token = `${input}.${(await signer.sign(key, input)).toString('base64url')}`;
    this.#options.onIssued?.(token, claims);
    return { token, notBefore, expiresAt, lifeSeconds };
  }
}
