import { createHash } from 'node:crypto';

/**
 * The one-time token with which a VM joins its server: `knt1.SECRET.AUTHORITY`. SECRET is 32 random bytes; AUTHORITY is
 * the SHA-256 of the authority's certificate (DER). Both are base64url without padding. Because the token names the
 * authority, a VM that has nothing but address and token can tell its own server from an impostor.
 */
export interface JoinToken {
  readonly secret: string;
  readonly authorityFingerprint: string;
}

const shape = /^knt1\.([A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{43})$/;

/** @returns undefined where the text is no token */
export function parseJoinToken(text: string): JoinToken | undefined {
  const [, secret, authorityFingerprint] = shape.exec(text) ?? [];
  if (secret === undefined || authorityFingerprint === undefined) return undefined;
  return { secret, authorityFingerprint };
}

export function formatJoinToken({ secret, authorityFingerprint }: JoinToken): string {
  return `knt1.${secret}.${authorityFingerprint}`;
}

/** @param certificate DER */
export function authorityFingerprint(certificate: Uint8Array): string {
  return createHash('sha256').update(certificate).digest('base64url');
}
