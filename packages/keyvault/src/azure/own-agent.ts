import { type LookupAddress, type LookupOptions, lookup } from 'node:dns';
import { Agent } from 'node:https';

type LookupCallback = (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void;

const loopback: LookupAddress = { address: '127.0.0.1', family: 4 };

export function isLocalName(hostname: string): boolean {
  return hostname === 'localhost' || hostname.endsWith('.localhost');
}

/**
 * Connections to vaults of one's own: another authority than the usual ones, and names below `.localhost`, which mean
 * this machine (RFC 6761, 6.3) though glibc knows nothing of it. Azure's own vaults keep the connections of the SDK, which
 * go through the proxy of the environment.
 * @param authority PEM; undefined trusts what Node trusts
 */
export function ownAgent(authority: string | undefined): Agent {
  return new Agent({
    keepAlive: true,
    minVersion: 'TLSv1.2',
    lookup: lookupWithLocalNames,
    ...(authority === undefined ? {} : { ca: authority }),
  });
}

function lookupWithLocalNames(hostname: string, options: LookupOptions, callback: LookupCallback): void {
  if (!isLocalName(hostname)) lookup(hostname, options, callback);
  else if (options.all === true) callback(null, [loopback]);
  else callback(null, loopback.address, loopback.family);
}
