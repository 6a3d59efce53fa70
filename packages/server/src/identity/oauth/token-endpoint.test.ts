import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { decodeJwt } from 'jose';
import { IdentityServer } from '../../testing/identity-server.ts';

const server = await IdentityServer.start();
after(() => server[Symbol.asyncDispose]());
const { identity } = server;
const { tenantId } = identity;
const scope = 'https://vault.azure.net/.default';
const client = await identity.principals.create('client');
const good = { client_id: client.appId, client_secret: client.password, scope };
const nobody = '00000000-0000-4000-8000-000000000000';
/** Of the right form, and wrong. */
const wrongSecret = `${client.password.slice(0, 9)}${'A'.repeat(43)}`;

/** The words of a refusal, without what differs from call to call. */
function wordsOf(json: Record<string, unknown> | undefined): string {
  return String(json?.error_description).replace(/ Trace ID.*/, '');
}

test('every endpoint gives a token in the form that its clients read', async () => {
  const resource = 'https://management.azure.com/';
  const v1 = { client_id: client.appId, client_secret: client.password, resource };
  const table: readonly { path: string; form: Record<string, string>; audience: string }[] = [
    { path: `/${tenantId}/oauth2/v2.0/token`, form: good, audience: 'https://vault.azure.net' },
    { path: `/${tenantId.toUpperCase()}/oauth2/v2.0/token`, form: good, audience: 'https://vault.azure.net' },
    { path: `/${tenantId}/oauth2/token`, form: v1, audience: resource },
    { path: '/adfs/oauth2/token', form: good, audience: 'https://vault.azure.net' },
    {
      path: '/adfs/oauth2/token/',
      form: { ...good, scope: `${server.url}//.default`, client_info: '1', claims: '{"access_token":{}}' },
      audience: `${server.url}/`,
    },
  ];
  for (const { path, form, audience } of table) {
    const { status, json, headers, text } = await server.token(form, { path });
    assert.equal(status, 200, text);
    const payload = decodeJwt(String(json?.access_token));
    assert.equal(payload.aud, audience);
    assert.equal(payload.oid, client.objectId);
    assert.equal(payload.sub, client.objectId);
    assert.equal(payload.tid, tenantId);
    assert.equal(payload.appidacr, '1');
    assert.equal(typeof json?.expires_in, 'scope' in form ? 'number' : 'string');
    assert.equal(json?.resource, 'scope' in form ? undefined : audience);
    assert.equal(headers['cache-control'], 'no-store');
  }
  const authorization = `Basic ${Buffer.from(`${client.appId}:${encodeURIComponent(client.password)}`).toString('base64')}`;
  const basic = await server.token({ scope }, { headers: { authorization } });
  assert.equal(basic.status, 200, basic.text);
});

test('requests that are wrong in other ways than the secret', async () => {
  const one = (form: Record<string, string>, path?: string) => server.token(form, path === undefined ? {} : { path });
  const { client_secret: _, ...noSecret } = good;
  const { client_id: __, ...noId } = good;
  const { scope: ___, ...noScope } = good;
  const table: readonly [string, ReturnType<typeof one>, number, string, number][] = [
    ['tenant', one(good, `/${nobody}/oauth2/v2.0/token`), 400, 'invalid_request', 90002],
    ['tenant', one(good, '/common/oauth2/v2.0/token'), 400, 'invalid_request', 90002],
    ['grant', one({ ...good, grant_type: 'password' }), 400, 'unsupported_grant_type', 70003],
    ['no grant', one({ ...good, grant_type: '' }), 400, 'unsupported_grant_type', 70003],
    ['no secret', one(noSecret), 401, 'invalid_client', 7000218],
    ['no client', one(noId), 400, 'invalid_request', 900144],
    ['no scope', one(noScope), 400, 'invalid_request', 900144],
    ['resource in v2', one({ ...noScope, resource: 'https://vault.azure.net' }), 400, 'invalid_request', 900144],
    ['scope', one({ ...good, scope: 'https://vault.azure.net' }), 400, 'invalid_scope', 1002012],
    ['two scopes', one({ ...good, scope: `${scope} openid` }), 400, 'invalid_scope', 1002012],
    ['foreign', one({ ...good, scope: 'https://elsewhere.example/.default' }), 400, 'invalid_resource', 500011],
    [
      'trick',
      one({ ...good, scope: 'https://vault.azure.net@evil.example/.default' }),
      400,
      'invalid_resource',
      500011,
    ],
    ['two credentials', one({ ...good, client_assertion: 'x' }), 400, 'invalid_request', 900144],
    ['assertion type', one({ ...noSecret, client_assertion: 'x' }), 400, 'invalid_request', 900144],
  ];
  for (const [what, call, status, error, code] of table) {
    const answer = await call;
    assert.deepEqual([answer.status, answer.json?.error, answer.json?.error_codes], [status, error, [code]], what);
    assert.ok(String(answer.json?.error_description).startsWith(`AADSTS${code}: `), what);
  }
  const json = await server.get(`/${tenantId}/oauth2/v2.0/token`, {
    method: 'POST',
    body: '{}',
    headers: { 'content-type': 'application/json' },
  });
  assert.deepEqual([json.status, json.json?.error], [415, 'invalid_request']);
  const long = await server.token({ ...good, padding: 'x'.repeat(20_000) });
  assert.deepEqual([long.status, long.json?.error], [413, 'invalid_request']);
  const proxied = await server.token(good, { headers: { host: 'login.microsoftonline.com' } });
  assert.equal(proxied.status, 200);
});

test('an unknown client and a wrong secret: the same words and the same work', async () => {
  const table: readonly Record<string, string>[] = [
    { client_id: client.appId, client_secret: wrongSecret },
    { client_id: client.appId, client_secret: 'not of the form' },
    { client_id: client.appId, client_secret: 'x'.repeat(5000) },
    { client_id: nobody, client_secret: wrongSecret },
    { client_id: 'no GUID at all', client_secret: client.password },
    {
      client_id: String((await identity.managedIdentities.ofVm(await joined('vm-a')))?.appId),
      client_secret: wrongSecret,
    },
  ];
  const seen = new Set<string>();
  for (const form of table) {
    const before = identity.hasher.runs;
    const { status, json, headers } = await server.token({ ...form, scope });
    assert.equal(identity.hasher.runs - before, 1, JSON.stringify(form));
    seen.add(`${status} ${String(json?.error)} ${wordsOf(json)} ${Object.keys(headers).sort().join()}`);
  }
  assert.equal(seen.size, 1, [...seen].join('\n'));
  assert.match([...seen][0] ?? '', /^401 invalid_client AADSTS7000215: /);
});

test('lock-out: 401 with Retry-After and no work; who was right a moment ago and others are let in', async () => {
  const own = await identity.principals.create('locked');
  const other = await identity.principals.create('other');
  const attempt = (secret: string, id = own.appId) => server.token({ client_id: id, client_secret: secret, scope });
  const secret = (digit: string): string => `${own.password.slice(0, 9)}${digit.repeat(43)}`;
  for (const digit of ['1', '2', '3', '4', '5'])
    assert.equal((await attempt(secret(digit))).json?.error, 'invalid_client');
  const runs = identity.hasher.runs;
  const locked = await attempt(own.password);
  assert.deepEqual([locked.status, locked.json?.error_codes, locked.headers['retry-after']], [401, [50053], '1']);
  assert.equal(identity.hasher.runs, runs);
  assert.equal((await attempt(other.password, other.appId)).status, 200);
  server.pass(1000);
  assert.equal((await attempt(own.password)).status, 200);
  for (const digit of ['1', '2', '3', '4', '5', '6']) await attempt(secret(digit));
  assert.deepEqual((await attempt(secret('7'))).json?.error_codes, [50053]);
  assert.equal((await attempt(own.password)).status, 200, 'remembered for ten minutes');
});

test('strangers at the same address cannot keep a client out, whatever they send in its name', async () => {
  const own = await identity.principals.create('besieged');
  const stranger = (digit: string) =>
    server.token({ client_id: own.appId, client_secret: `00000000~${digit.repeat(43)}`, scope });
  for (let count = 0; count < 8; count += 1) await stranger(String(count));
  assert.deepEqual((await stranger('9')).json?.error_codes, [50053]);
  const { status } = await server.token({ client_id: own.appId, client_secret: own.password, scope });
  assert.equal(status, 200);
});

test('a storm with one secret costs one run of scrypt; a reset or a deletion ends what is remembered', async () => {
  const own = await identity.principals.create('storm');
  const form = { client_id: own.appId, client_secret: own.password, scope };
  const before = identity.hasher.runs;
  const answers = await Promise.all(Array.from({ length: 20 }, () => server.token(form)));
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
  assert.equal(identity.hasher.runs - before, 1);
  server.pass(10 * 60_000 + 1);
  assert.equal((await server.token(form)).status, 200);
  assert.equal(identity.hasher.runs - before, 2, 'and it is forgotten after ten minutes');

  const { password } = await identity.principals.reset(own.appId);
  assert.equal((await server.token(form)).status, 401);
  assert.equal((await server.token({ ...form, client_secret: password })).status, 200);
  identity.principals.delete(own.objectId);
  assert.equal((await server.token({ ...form, client_secret: password })).status, 401);
});

test('whatever a form says, the answer is a token or a refusal of the client', async () => {
  const names = [
    'client_id',
    'client_secret',
    'client_assertion',
    'client_assertion_type',
    'grant_type',
    'scope',
    'resource',
  ];
  const value = fc.oneof(
    fc.constantFrom(
      'client_credentials',
      client.appId,
      scope,
      'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    ),
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.tuple(fc.json(), fc.json()).map((parts) => `${parts.map((part) => btoa(encodeURI(part))).join('.')}.AAAA`),
  );
  const form = fc.array(fc.tuple(fc.constantFrom(...names), value), { maxLength: 7 });
  await fc.assert(
    fc.asyncProperty(
      form,
      fc.option(fc.string({ maxLength: 40 }), { nil: undefined }),
      async (fields, authorization) => {
        const body = Buffer.from(new URLSearchParams(fields).toString());
        const answer = await identity.tokenEndpoint.answer({
          body,
          authorization,
          address: '192.0.2.77',
          version: 'v1',
        });
        if ('status' in answer) assert.ok(answer.status === 400 || answer.status === 401);
      },
    ),
  );
});

test('nothing of all that was a failure of the server', () => assert.deepEqual(server.failures, []));

async function joined(id: string): Promise<string> {
  await server.joinedVm(id);
  return id;
}
