import { randomBytes } from 'node:crypto';

/**
 * A client secret: `HINT~SECRET`, 8 hexadecimal digits that tell a principal's secrets apart, then 256 random bits in
 * base64url. The hint is stored in the clear, so that checking a secret takes one run of scrypt however many there are.
 */
export function newClientSecret(): string {
  return `${randomBytes(4).toString('hex')}~${randomBytes(32).toString('base64url')}`;
}

/** Bytes that a client may send as its secret at most. */
export const longestSecretBytes = 256;

/** @returns undefined for what cannot be one of ours */
export function hintOf(secret: string | Uint8Array): string | undefined {
  const start = typeof secret === 'string' ? secret.slice(0, 9) : Buffer.from(secret.subarray(0, 9)).toString('latin1');
  return /^[0-9a-f]{8}~$/.test(start) ? start.slice(0, 8) : undefined;
}
