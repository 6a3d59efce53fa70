import { KannukiError } from '@kannuki/core';

export interface Pkcs11VaultAddress {
  readonly tokenLabel: string;
  /** The vendor's shared library. */
  readonly modulePath: string;
  readonly pinFile: string;
  /** Holds `vault.db` and `root.key`, both worth nothing without the token. */
  readonly directory: string;
  readonly vaultName: string;
}

export const pkcs11Scheme = 'pkcs11:';

const known = ['module-path', 'pin-source', 'secrets', 'vault'] as const;

/**
 * Reads `pkcs11:token=LABEL?module-path=/FILE&pin-source=file:/FILE&secrets=/DIRECTORY[&vault=NAME]`: a PKCS #11 URI
 * (RFC 7512) that names a token by its label, with where the secrets are besides.
 * @throws KannukiError KNK-KVT-0015
 */
export function parsePkcs11Address(text: string): Pkcs11VaultAddress {
  // Only up to the question mark: someone may have written a PIN behind it.
  const wrong = (reason: string): KannukiError =>
    new KannukiError('KNK-KVT-0015', { details: { url: text.slice(0, 200).replace(/\?.*/s, '?…'), reason } });
  const url = URL.parse(text);
  if (url?.protocol !== pkcs11Scheme || url.host !== '') throw wrong('it is not pkcs11:token=LABEL?…');
  const tokenLabel = decoded(/^token=([^;/]{1,100})$/.exec(url.pathname)?.[1]);
  // CK_TOKEN_INFO has 32 bytes for it.
  if (tokenLabel === undefined || Buffer.byteLength(tokenLabel) > 32) throw wrong('it names no token by its label');
  const given = new Map<string, string>();
  for (const [name, value] of url.searchParams) {
    // A PIN in an address would be in journals and in the list of processes.
    if (name === 'pin-value') throw wrong('a PIN belongs into a file: pin-source=file:/FILE');
    if (!(known as readonly string[]).includes(name)) throw wrong(`it has the unknown parameter ${name.slice(0, 40)}`);
    if (given.has(name)) throw wrong(`it has ${name} twice`);
    given.set(name, value);
  }
  const path = (name: (typeof known)[number]): string => {
    const value = (given.get(name) ?? '').replace(/^file:(?:\/\/(?=\/))?/, '');
    if (!value.startsWith('/') || value === '/' || value.includes('\0')) throw wrong(`${name} is not a full path`);
    return value;
  };
  return {
    tokenLabel,
    modulePath: path('module-path'),
    pinFile: path('pin-source'),
    directory: path('secrets'),
    vaultName: given.get('vault') ?? 'kannuki',
  };
}

function decoded(text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
