import type { IncomingMessage } from 'node:http';

/** Address of the peer as its socket says it; IPv4 also where it came in by a socket of IPv6. */
export function peerAddress(request: IncomingMessage): string {
  const address = request.socket.remoteAddress ?? '';
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice('::ffff:'.length) : address;
}

/** The token of an `Authorization: Bearer` header (RFC 6750, 2.1); undefined where there is none. */
export function bearerToken(request: IncomingMessage): string | undefined {
  const { authorization } = request.headers;
  if (authorization === undefined || authorization.slice(0, 7).toLowerCase() !== 'bearer ') return undefined;
  return authorization.slice(7).trim();
}
