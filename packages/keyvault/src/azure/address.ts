import { KannukiError } from '@kannuki/core';

/** Who this machine is to Microsoft Entra ID; what is secret lies in files. */
export type AzureCredentialSource =
  | { readonly kind: 'secret'; readonly tenantId: string; readonly clientId: string; readonly secretFile: string }
  | {
      readonly kind: 'certificate';
      readonly tenantId: string;
      readonly clientId: string;
      readonly certificateFile: string;
    }
  /** Of the VM, through its metadata service; null is the one that the VM itself has. */
  | { readonly kind: 'managed-identity'; readonly clientId: string | null }
  /** Whatever DefaultAzureCredential finds: environment, workload identity, managed identity, az login. */
  | { readonly kind: 'default' };

export interface AzureVaultAddress {
  /** `https://NAME.SUFFIX[:PORT]/`. */
  readonly vaultUri: string;
  readonly host: string;
  readonly credential: AzureCredentialSource;
  /** `https://HOST` that signs in, for clouds of one's own; null is Azure's. */
  readonly authorityHost: string | null;
  /** PEM of further authorities; null trusts what Node trusts. */
  readonly authorityFile: string | null;
  /**
   * Whether the vault may ask for a token for a domain that it does not lie in. Only for servers whose certificate says
   * who they are and whose authority is one's own: a token would go to whoever answers.
   */
  readonly anyTokenDomain: boolean;
}

export const azureScheme = 'azure+https:';

/** Vaults of Azure, of its Chinese and of its US government cloud. */
export const azureVaultSuffixes: readonly string[] = [
  '.vault.azure.net',
  '.vault.azure.cn',
  '.vault.usgovcloudapi.net',
];

/** Whether a plain `https:` address is one of Azure's own vaults. */
export function isAzureVaultHost(hostname: string): boolean {
  return azureVaultSuffixes.some((suffix) => hostname.toLowerCase().endsWith(suffix));
}

const known = [
  'tenant',
  'client',
  'secret-file',
  'certificate-file',
  'managed-identity',
  'authority',
  'ca',
  'any-token-domain',
] as const;
type Parameter = (typeof known)[number];

const hostShape = /^[a-z0-9](?:[a-z0-9.-]{0,250}[a-z0-9])?(?::\d{1,5})?$/;
const identifierShape = /^[\w.-]{1,100}$/;

/**
 * Reads `https://NAME.vault.azure.net/` and `azure+https://NAME.SUFFIX[:PORT]/` (any suffix), with one of
 * `?tenant=…&client=…&secret-file=FILE`, `?tenant=…&client=…&certificate-file=FILE` (PEM with its key),
 * `?managed-identity=system|CLIENT`, or none (DefaultAzureCredential), and where needed `&authority=https://HOST`,
 * `&ca=FILE`, `&any-token-domain=yes`.
 * @throws KannukiError KNK-KVT-0015
 */
export function parseAzureAddress(text: string): AzureVaultAddress {
  const url = URL.parse(text);
  const wrong = (reason: string): KannukiError =>
    new KannukiError('KNK-KVT-0015', { details: { url: text.slice(0, 200).replace(/\/\/[^/]*@/, '//'), reason } });
  const isOurs = url?.protocol === azureScheme || (url?.protocol === 'https:' && isAzureVaultHost(url.hostname));
  if (url === null || !isOurs || url.username !== '' || url.password !== '') throw wrong('it is no vault of Azure');
  const host = url.host.toLowerCase();
  if (!hostShape.test(host)) throw wrong('it names no host');
  if (url.pathname !== '' && url.pathname !== '/')
    throw wrong('nothing may stand between the host and the question mark');
  const given = new Map<Parameter, string>();
  for (const [name, value] of url.searchParams) {
    if (!isKnown(name)) throw wrong(`it has the unknown parameter ${name.slice(0, 40)}`);
    if (given.has(name)) throw wrong(`it has ${name} twice`);
    given.set(name, value);
  }
  const identifier = (name: Parameter): string => {
    const value = given.get(name) ?? '';
    if (!identifierShape.test(value)) throw wrong(`${name} is missing or no identifier`);
    return value;
  };
  const file = (name: Parameter): string | null => {
    const value = given.get(name);
    if (value === undefined) return null;
    if (!value.startsWith('/') || value.includes('\0')) throw wrong(`${name} is not the full path of a file`);
    return value;
  };
  const [secretFile, certificateFile] = [file('secret-file'), file('certificate-file')];
  const ways = [secretFile, certificateFile, given.get('managed-identity') ?? null].filter((way) => way !== null);
  if (ways.length > 1) throw wrong('it names more than one credential');
  const credential = ((): AzureCredentialSource => {
    if (secretFile !== null) {
      return { kind: 'secret', tenantId: identifier('tenant'), clientId: identifier('client'), secretFile };
    }
    if (certificateFile !== null) {
      return { kind: 'certificate', tenantId: identifier('tenant'), clientId: identifier('client'), certificateFile };
    }
    if (given.has('tenant') || given.has('client'))
      throw wrong('tenant and client need secret-file or certificate-file');
    if (!given.has('managed-identity')) return { kind: 'default' };
    const identity = identifier('managed-identity');
    return { kind: 'managed-identity', clientId: identity === 'system' ? null : identity };
  })();
  const authority = given.get('authority');
  if (authority !== undefined && URL.parse(authority)?.protocol !== 'https:')
    throw wrong('authority is not https://HOST');
  const anyTokenDomain = given.get('any-token-domain') ?? 'no';
  if (!['yes', 'no'].includes(anyTokenDomain)) throw wrong('any-token-domain is yes or no');
  if (anyTokenDomain === 'yes' && isAzureVaultHost(url.hostname))
    throw wrong('any-token-domain is not for vaults of Azure');
  return {
    vaultUri: `https://${host}/`,
    host,
    credential,
    authorityHost: authority ?? null,
    authorityFile: file('ca'),
    anyTokenDomain: anyTokenDomain === 'yes',
  };
}

function isKnown(name: string): name is Parameter {
  return (known as readonly string[]).includes(name);
}
