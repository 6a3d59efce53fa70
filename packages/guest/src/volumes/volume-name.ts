import { createHash } from 'node:crypto';

const prefix = 'kn_';
/** The kernel's limit for a mapper name is 127; systemd unit names carry it several times over. */
const maximumLength = 48;

/**
 * Name of a volume for mapper, journal and header, from its mount point. Only letters, digits and `_`, so that it needs
 * no escaping in crypttab or in unit names; a name that would be ambiguous ends in a piece of the path's hash.
 * @example volumeName('/srv/db') // 'kn_srv_db'
 */
export function volumeName(mountPoint: string): string {
  const plain = mountPoint.replace(/^\/+|\/+$/g, '');
  const name = prefix + plain.replaceAll('/', '_');
  if (/^[A-Za-z0-9_]+$/.test(name) && name.length <= maximumLength && !plain.includes('_')) return name;
  const hash = createHash('sha256').update(mountPoint).digest('hex').slice(0, 8);
  return `${name.replace(/[^A-Za-z0-9_]/g, '').slice(0, maximumLength - 9)}_${hash}`;
}
