import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, randomUUID, X509Certificate } from 'node:crypto';
import { after, test } from 'node:test';
import { decodeJwt, type JWTHeaderParameters, SignJWT } from 'jose';
import { IdentityServer } from '../../testing/identity-server.ts';
import { selfSigned } from '../../testing/self-signed.ts';

const server = await IdentityServer.start();
after(() => server[Symbol.asyncDispose]());
const { identity } = server;
const { tenantId } = identity;
const endpoint = `${server.url}/${tenantId}/oauth2/v2.0/token`;
const [rsa, ec, other] = await Promise.all([selfSigned('RSA'), selfSigned('EC'), selfSigned('RSA')]);
const { appId } = await identity.principals.create('asserting');
for (const { certificate } of [rsa, ec]) identity.principals.addCertificate(appId, certificate);

interface Made {
  readonly alg?: string;
  readonly header?: Record<string, unknown>;
  readonly claims?: Record<string, unknown>;
  readonly key?: string;
  readonly certificate?: string;
  readonly lifeSeconds?: number;
}

const x5tOf = (certificate: string, algorithm: 'fingerprint' | 'fingerprint256'): string =>
  Buffer.from(new X509Certificate(certificate)[algorithm].replaceAll(':', ''), 'hex').toString('base64url');

/** An assertion that is right but for what is given. Seconds of the server's clock. */
function assertion(made: Made = {}): Promise<string> {
  const { alg = 'PS256', certificate = rsa.certificate, key = rsa.key, lifeSeconds = 600 } = made;
  const now = Math.floor(identity.now() / 1000);
  const claims = { iss: appId, sub: appId, aud: endpoint, jti: randomUUID(), nbf: now, exp: now + lifeSeconds };
  const header = made.header ?? { 'x5t#S256': x5tOf(certificate, 'fingerprint256') };
  return new SignJWT({ ...claims, ...made.claims })
    .setProtectedHeader({ alg, ...header } as JWTHeaderParameters)
    .sign(createPrivateKey(key));
}

async function send(client_assertion: string, form: Record<string, string> = { client_id: appId }) {
  return server.token({
    ...form,
    client_assertion,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    scope: 'https://vault.azure.net/.default',
  });
}

test('RS256, PS256 and ES256, by either thumbprint, with and without client_id, for every name of the endpoint', async () => {
  const sha1 = { x5t: x5tOf(rsa.certificate, 'fingerprint') };
  const table: readonly [string, Made, Record<string, string>?][] = [
    ['PS256', {}],
    ['RS256 and SHA-1', { alg: 'RS256', header: sha1 }],
    ['ES256', { alg: 'ES256', key: ec.key, certificate: ec.certificate }],
    ['no client_id', {}, {}],
    ['issuer as audience', { claims: { aud: `${server.url}/${tenantId}/v2.0` } }],
    ['AD FS', { claims: { aud: `${server.url}/adfs/oauth2/token/` } }],
    ['by the proxy', { claims: { aud: `https://login.microsoftonline.com/${tenantId}/oauth2/v2.0/token` } }],
  ];
  for (const [what, made, form] of table) {
    const { status, json, text } = await send(await assertion(made), form);
    assert.equal(status, 200, `${what}: ${text}`);
    const payload = decodeJwt(String(json?.access_token));
    assert.deepEqual([payload.appid, payload.appidacr], [appId, '2'], what);
  }
});

test('whatever is wrong with an assertion: 401 with one text', async () => {
  const stranger = randomUUID();
  const unsigned = (header: object): string => {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = { iss: appId, sub: appId, aud: endpoint, jti: 'j', exp: Math.floor(identity.now() / 1000) + 60 };
    return `${part(header)}.${part(claims)}.`;
  };
  const publicPem = createPublicKey(rsa.key).export({ type: 'spki', format: 'pem' });
  const withSecret = await new SignJWT({ iss: appId, sub: appId, aud: endpoint, jti: 'h', exp: 9_999_999_999 })
    .setProtectedHeader({ alg: 'HS256', 'x5t#S256': x5tOf(rsa.certificate, 'fingerprint256') })
    .sign(Buffer.from(publicPem));
  const table: readonly [string, string | Promise<string>, Record<string, string>?][] = [
    ['signed by another key', assertion({ key: other.key })],
    ['certificate that is not registered', assertion({ key: other.key, certificate: other.certificate })],
    ['no thumbprint', assertion({ header: {} })],
    [
      'thumbprints of two',
      assertion({ header: { 'x5t#S256': x5tOf(rsa.certificate, 'fingerprint256'), x5t: 'AAAA' } }),
    ],
    ['thumbprint of no text', assertion({ header: { 'x5t#S256': { a: 1 } } })],
    ['algorithm that is not taken', assertion({ alg: 'RS512' })],
    ['alg none', unsigned({ alg: 'none', 'x5t#S256': x5tOf(rsa.certificate, 'fingerprint256') })],
    ['alg HS256 over the public key', withSecret],
    ['another audience', assertion({ claims: { aud: 'https://login.example/token' } })],
    ['audience with a query', assertion({ claims: { aud: `${endpoint}?x` } })],
    ['several audiences', assertion({ claims: { aud: [endpoint, endpoint] } })],
    ['over', assertion({ lifeSeconds: -61 })],
    ['too long', assertion({ lifeSeconds: 3600 })],
    ['no jti', assertion({ claims: { jti: undefined } })],
    ['long jti', assertion({ claims: { jti: 'x'.repeat(201) } })],
    ['issuer is another', assertion({ claims: { iss: stranger } })],
    ['subject is another', assertion({ claims: { sub: stranger } })],
    ['unknown client', assertion({ claims: { iss: stranger, sub: stranger } }), { client_id: stranger }],
    ['unknown client, ES256', assertion({ alg: 'ES256', key: ec.key }), { client_id: stranger }],
    ['garbage', 'a.b.c'],
    ['nothing', ''],
    ['long', 'x'.repeat(9000)],
  ];
  const texts = new Set<string>();
  for (const [what, text, form] of table) {
    const { status, json } = await send(await text, form);
    assert.deepEqual([status, json?.error, json?.error_codes], [401, 'invalid_client', [700027]], what);
    texts.add(String(json?.error_description).replace(/ Trace ID.*/, ''));
  }
  assert.equal(texts.size, 1);
  assert.deepEqual(server.failures, []);
});

test('an assertion belongs to the address that showed it first, until it is over', async () => {
  const { tokenEndpoint } = identity;
  const form = async (text: string) =>
    Buffer.from(
      new URLSearchParams({
        grant_type: 'client_credentials',
        client_assertion: text,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        scope: 'https://vault.azure.net/.default',
      }).toString(),
    );
  const shown = async (text: string, address: string): Promise<boolean> => {
    const body = await form(text);
    return !('status' in (await tokenEndpoint.answer({ body, authorization: undefined, address, version: 'v2' })));
  };
  const text = await assertion();
  assert.equal(await shown(text, '192.0.2.1'), true);
  assert.equal(await shown(text, '192.0.2.1'), true, 'MSAL shows it again for the next resource');
  assert.equal(await shown(text, '192.0.2.2'), false);
  // With the same jti in another assertion as well.
  const jti = decodeJwt(text).jti;
  assert.equal(await shown(await assertion({ claims: { jti } }), '192.0.2.2'), false);
  assert.equal(await shown(await assertion(), '192.0.2.2'), true);
  server.pass(12 * 60_000);
  assert.equal(await shown(text, '192.0.2.1'), false, 'over');
});

test('a certificate that is over, or was reset, proves nothing', async () => {
  const { appId: id } = await identity.principals.create('ends');
  const soon = await selfSigned('RSA', new Date(identity.now() + 60_000));
  identity.principals.addCertificate(id, soon.certificate);
  const made: Made = { ...soon, claims: { iss: id, sub: id } };
  assert.equal((await send(await assertion(made), { client_id: id })).status, 200);
  server.pass(61_000);
  assert.equal((await send(await assertion(made), { client_id: id })).status, 401);
  assert.equal((await send(await assertion())).status, 200);
  await identity.principals.reset(appId);
  assert.equal((await send(await assertion())).status, 401);
});
