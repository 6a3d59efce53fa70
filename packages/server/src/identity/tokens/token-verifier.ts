/** What a bearer token says, after signature, issuer, tenant, times and audience were checked. */
export interface VerifiedToken {
  /** `oid`. */
  readonly objectId: string;
  /** `appid`; null for what is no application. */
  readonly applicationId: string | null;
  readonly tenantId: string;
  readonly audience: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** What a token is for: a token for one plane is refused at the other. */
export type TokenPlane = 'vault' | 'management' | 'graph';

export interface TokenVerifier {
  /** @returns undefined for whatever is wrong with it; the caller answers one 401 for all of that */
  verify(token: string, plane: TokenPlane): Promise<VerifiedToken | undefined>;
}
