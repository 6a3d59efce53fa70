/** Bounds on what a client may make the server hold or wait for. */
export const limits = {
  bodyBytes: 64 * 1024,
  /** A backup to restore: up to 500 versions of a key (REQ-343). */
  restoreBytes: 5 * 1024 * 1024,
  statusBytes: 256 * 1024,
  /** Tokens are in there. */
  headerBytes: 16 * 1024,
  /** A connection has so long for its TLS handshake, and then for its first headers. */
  handshakeMilliseconds: 10_000,
  headersMilliseconds: 10_000,
  /** From the first byte of a request to its last. */
  requestMilliseconds: 20_000,
  /** How often the two above are looked at. */
  checkMilliseconds: 1_000,
  /** A connection on which nothing moves; longer than the longest long poll. */
  idleMilliseconds: 90_000,
  keepAliveMilliseconds: 65_000,
  requestsPerConnection: 10_000,
  connections: 20_000,
} as const;
