import { isIP } from 'node:net';
import { KannukiError } from '@kannuki/core';

export interface ListenAddress {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
}

export const defaultListen = '127.0.0.1:8443';

/** @param text `HOST:PORT`, `[IPV6]:PORT` or `PORT`. @throws KannukiError KNK-SRV-0012 */
export function parseListen(text: string): ListenAddress {
  const match = /^(?:(?:\[([0-9a-fA-F:]+)\]|([^:[\]\s]+)):)?(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2] ?? '127.0.0.1';
  const port = Number(match?.[3] ?? Number.NaN);
  const reason = 'it is not HOST:PORT';
  if (!(port <= 65535)) throw new KannukiError('KNK-SRV-0012', { details: { address: text.slice(0, 100), reason } });
  return { host, port };
}

/** How a client on this machine reaches an address that is listened on. */
export function urlOf({ host, port }: ListenAddress): string {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `https://${isIP(reachable) === 6 ? `[${reachable}]` : reachable}:${port}`;
}

/** The form that `parseListen` reads. */
export function listenText({ host, port }: ListenAddress): string {
  return `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
}
