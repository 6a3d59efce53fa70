import type { Random } from '../../power-cut/random.ts';

export interface FuzzContext {
  /** Host header of a vault. */
  readonly vaultHost: string;
  /** Host header of the management plane. */
  readonly serverHost: string;
  readonly tenantId: string;
  readonly subscriptionId: string;
  readonly vaultToken: string;
  readonly managementToken: string;
}

const collections = ['keys', 'secrets', 'deletedkeys', 'deletedsecrets', 'certificates', 'rng', 'KEYS', 'sEcReTs', ''];
const verbs = [
  'create',
  'encrypt',
  'decrypt',
  'wrapkey',
  'unwrapkey',
  'sign',
  'verify',
  'rotate',
  'backup',
  'restore',
  'release',
];
const oddTexts = [
  '..',
  '.',
  '%00',
  '%2e%2e',
  '%2F',
  '%',
  '%zz',
  '%u0041',
  '\\',
  '//',
  ' ',
  '\t',
  '💥',
  '{}',
  '$',
  '~',
  '*',
  '<script>',
  "' OR 1=1 --",
  '__proto__',
  'constructor',
  'toString',
  'a'.repeat(127),
  'a'.repeat(128),
  'a'.repeat(5000),
  '-',
  '0',
  'null',
  'undefined',
  'NaN',
];
const methods = ['GET', 'PUT', 'POST', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND', 'get', 'G ET', ''];
const jsonScraps = [
  'null',
  'true',
  '0',
  '-0',
  '1e999',
  '""',
  '[]',
  '{}',
  '{"a":',
  '{"value":',
  '{"value":1}',
  '{"value":null}',
  '{"value":"\\ud800"}',
  '{"value":"\\u0000"}',
  '{"value":"x","value":"y"}',
  '{"__proto__":{"enabled":false}}',
  '{"constructor":{"prototype":{}}}',
  '"\\',
  '[[[[',
  '{"kty":"RSA","key_size":2047}',
  '{"kty":"RSA","key_size":"2048"}',
  '{"kty":"RSA","key_size":1e9}',
  '{"kty":"EC","crv":"P-999"}',
  '{"kty":7}',
  '{"kty":"RSA","key_ops":["wrapKey",5]}',
  '{"attributes":{"exp":"x"}}',
  '{"attributes":{"nbf":-1,"exp":1e300}}',
  '{"tags":{"a":1}}',
  '{"tags":[]}',
  '{"alg":"RSA-OAEP","value":"!!!"}',
  '{"alg":"none","value":""}',
  '{"alg":"RSA1_5","value":"AAAA"}',
  '{"alg":"RS256","value":"AA","digest":"A"}',
  '{"key":{"kty":"RSA","n":"AQAB","e":"AQAB","d":"AQAB"}}',
  '{"key":{"kty":"EC","crv":"P-256","x":"AA","y":"AA","d":"AA"}}',
  '{"count":1e9}',
  '{"count":-1}',
  '{"lifetimeActions":[{"trigger":{"timeAfterCreate":"P1000000000000Y"},"action":{"type":"Rotate"}}]}',
  '{"lifetimeActions":7}',
  '{"attributes":{"expiryTime":"P"}}',
  '\ufeff{}',
  '{"properties":{"accessPolicies":[{"permissions":"all"}]}}',
  '{"location":[],"properties":{"sku":7}}',
  '{"properties":{"networkAcls":{"ipRules":[{"value":"::g"}]}}}',
];

/** One request as bytes on the wire: mostly shaped like one of ours, and wrong in one or a few places. The same random, the same bytes. */
export function malformedRequest(random: Random, context: FuzzContext): Buffer {
  const pick = <Item>(items: readonly Item[]): Item => items[random.between(0, items.length)] as Item;
  const chance = (percent: number): boolean => random.between(0, 100) < percent;
  const odd = (): string => (chance(15) ? noise(random, random.between(1, 40)) : pick(oddTexts));
  const name = (): string => (chance(60) ? `n${random.between(0, 50)}` : odd());

  const vaultPath = (): string => {
    const parts = ['', pick(collections), name()];
    if (chance(50)) parts.push(chance(50) ? hex(random, 32) : odd());
    if (chance(60)) parts.push(chance(80) ? pick(verbs) : odd());
    if (chance(20)) parts.push('');
    return parts.join('/');
  };
  const armPath = (): string => {
    const subscription = chance(80) ? context.subscriptionId : odd();
    const tail = chance(70)
      ? `/providers/${pick(['Microsoft.KeyVault/vaults', 'microsoft.keyvault/VAULTS', 'Microsoft.Authorization/roleAssignments', odd()])}/${name()}`
      : '';
    return `/subscriptions/${subscription}${chance(80) ? `/resourceGroups/${name()}` : ''}${tail}`;
  };
  const identityPath = (): string =>
    pick([
      `/${context.tenantId}/oauth2/v2.0/token`,
      `/${odd()}/oauth2/v2.0/token`,
      '/adfs/oauth2/token',
      '/common/discovery/instance',
      '/metadata/endpoints',
      '/metadata/identity/oauth2/token',
      `/${odd()}/v2.0/.well-known/openid-configuration`,
      '/v1.0/servicePrincipals',
      '/agent/v1/join',
      `/agent/v1/vault/${odd()}`,
      `/${odd()}`,
    ]);

  const face = random.between(0, 10);
  const [path, host, token] =
    face < 6
      ? [vaultPath(), context.vaultHost, context.vaultToken]
      : face < 8
        ? [armPath(), context.serverHost, context.managementToken]
        : [identityPath(), context.serverHost, ''];
  const query = chance(80)
    ? `?api-version=7.5${chance(20) ? `&${odd()}=${odd()}` : ''}`
    : chance(50)
      ? `?${odd()}`
      : '';
  const headers = [`Host: ${chance(95) ? host : odd()}`];
  if (token !== '' && chance(90))
    headers.push(`Authorization: ${chance(85) ? `Bearer ${token}` : oddToken(random, token)}`);
  const body = chance(60) ? bodyOf(random, pick, chance) : Buffer.alloc(0);
  if (chance(90))
    headers.push(
      `Content-Type: ${chance(90) ? (face >= 8 ? 'application/x-www-form-urlencoded' : 'application/json') : odd()}`,
    );
  if (chance(3)) headers.push(`X-Long: ${'h'.repeat(random.between(1000, 20_000))}`);
  if (chance(3)) headers.push('Transfer-Encoding: chunked');
  else headers.push(`Content-Length: ${chance(97) ? body.length : odd()}`);
  const method = chance(92) ? pick(methods.slice(0, 5)) : pick(methods);
  return Buffer.concat([
    Buffer.from(`${method} ${path}${query} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`, 'utf8'),
    body,
  ]);
}

function bodyOf(
  random: Random,
  pick: <Item>(items: readonly Item[]) => Item,
  chance: (percent: number) => boolean,
): Buffer {
  if (chance(60)) return Buffer.from(pick(jsonScraps));
  if (chance(20)) return Buffer.from('['.repeat(random.between(1, 30_000)));
  if (chance(20))
    return Buffer.from(
      `grant_type=client_credentials&client_id=${noise(random, 20)}&client_secret=${noise(random, 20)}&scope=x`,
    );
  if (chance(10)) return Buffer.alloc(random.between(60_000, 80_000), 'x');
  const bytes = Buffer.from(pick(jsonScraps));
  for (let flips = 0; flips < 3 && bytes.length > 0; flips++)
    bytes[random.between(0, bytes.length)] = random.between(0, 256);
  return bytes;
}

function oddToken(random: Random, token: string): string {
  const [head = '', claims = '', signature = ''] = token.split('.');
  const none = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url');
  const hmac = Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url');
  const forms = [
    `Bearer ${none}.${claims}.`,
    `Bearer ${hmac}.${claims}.${signature}`,
    `Bearer ${head}.${claims}.${signature.slice(0, -4)}AAAA`,
    `Bearer ${head}.${claims.slice(0, -6)}AAAAAA.${signature}`,
    `Bearer ${token}${token}`,
    `Bearer ${'.'.repeat(random.between(1, 4000))}`,
    `Bearer ${noise(random, 100)}`,
    'Bearer',
    `Basic ${Buffer.from('a:b').toString('base64')}`,
  ];
  return forms[random.between(0, forms.length)] ?? '';
}

/** Printable, so that most of it gets past the HTTP parser and into our own code. */
function noise(random: Random, length: number): string {
  return Array.from({ length }, () => String.fromCharCode(random.between(33, 127))).join('');
}

function hex(random: Random, length: number): string {
  return Array.from({ length }, () => random.between(0, 16).toString(16)).join('');
}
