import { KannukiError } from '@kannuki/core';

/** How this machine proves to OpenBao who it is; what is secret lies in files. */
export type OpenBaoCredential =
  | { readonly kind: 'token'; readonly tokenFile: string }
  | { readonly kind: 'approle'; readonly mount: string; readonly roleIdFile: string; readonly secretIdFile: string };

/** An OpenBao or HashiCorp Vault server, and what of it is used. */
export interface OpenBaoAddress {
  /** Host with port, lower case; ids hold it. */
  readonly host: string;
  /** Mount of the transit engine: its keys are the KEKs. */
  readonly transitMount: string;
  /** Mount of the KV engine, version 2. */
  readonly kvMount: string;
  /** Folder in the KV mount; empty for its top. */
  readonly folder: string;
  readonly namespace: string | null;
  /** PEM of the authority that signs the server; the system's own authorities where there is none. */
  readonly authorityFile: string | null;
  readonly credential: OpenBaoCredential;
}

export const openBaoSchemes: readonly string[] = ['openbao+https:', 'vault+https:'];

const known = [
  'transit',
  'kv',
  'folder',
  'namespace',
  'ca',
  'token-file',
  'approle',
  'role-id-file',
  'secret-id-file',
] as const;
type Parameter = (typeof known)[number];

const hostShape = /^[a-z0-9.:[\]-]{1,300}$/i;
/** Segments of letters, digits, `-`, `_` and `.`, none of which is `.` or `..`: nothing that a URL would resolve or decode. */
const pathShape = /^(?!\.\.?(?:\/|$))[\w.-]{1,100}(?:\/(?!\.\.?(?:\/|$))[\w.-]{1,100}){0,9}$/;

/**
 * Reads `openbao+https://HOST[:PORT]/?transit=MOUNT&kv=MOUNT[&folder=…][&namespace=…][&ca=FILE]` with either
 * `&token-file=FILE` or `&role-id-file=FILE&secret-id-file=FILE[&approle=MOUNT]`. `vault+https` means the same.
 * @throws KannukiError KNK-KVT-0015
 */
export function parseOpenBaoAddress(text: string): OpenBaoAddress {
  const url = URL.parse(text);
  const wrong = (reason: string): KannukiError =>
    new KannukiError('KNK-KVT-0015', { details: { url: text.slice(0, 200).replace(/\/\/[^/]*@/, '//'), reason } });
  if (url === null || !openBaoSchemes.includes(url.protocol) || url.username !== '' || url.password !== '') {
    throw wrong('it is not openbao+https://HOST:PORT/?…');
  }
  if (!hostShape.test(url.host)) throw wrong('it names no host');
  if (url.pathname !== '' && url.pathname !== '/')
    throw wrong('nothing may stand between the host and the question mark');
  const given = new Map<string, string>();
  for (const [name, value] of url.searchParams) {
    if (!known.includes(name as Parameter)) throw wrong(`it has the unknown parameter ${name.slice(0, 40)}`);
    if (given.has(name)) throw wrong(`it has ${name} twice`);
    given.set(name, value);
  }
  const path = (name: Parameter, otherwise: string): string => {
    const value = given.get(name) ?? otherwise;
    if (value !== '' && !pathShape.test(value)) throw wrong(`${name} is no path in OpenBao`);
    return value;
  };
  const file = (name: Parameter): string | null => {
    const value = given.get(name);
    if (value === undefined) return null;
    if (!value.startsWith('/') || value.includes('\0')) throw wrong(`${name} is not the full path of a file`);
    return value;
  };
  const mount = (name: Parameter, otherwise: string): string => {
    const value = path(name, otherwise);
    if (value === '') throw wrong(`${name} is empty`);
    return value;
  };
  const [tokenFile, roleIdFile, secretIdFile] = [file('token-file'), file('role-id-file'), file('secret-id-file')];
  const credential = ((): OpenBaoCredential => {
    if (tokenFile !== null && roleIdFile === null && secretIdFile === null) return { kind: 'token', tokenFile };
    if (tokenFile !== null || roleIdFile === null || secretIdFile === null) {
      throw wrong('it needs either token-file, or role-id-file and secret-id-file');
    }
    return { kind: 'approle', mount: mount('approle', 'approle'), roleIdFile, secretIdFile };
  })();
  return {
    host: url.host.toLowerCase(),
    transitMount: mount('transit', 'transit'),
    kvMount: mount('kv', 'secret'),
    folder: path('folder', ''),
    namespace: given.has('namespace') ? mount('namespace', '') : null,
    authorityFile: file('ca'),
    credential,
  };
}
