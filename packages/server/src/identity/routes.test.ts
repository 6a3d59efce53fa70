import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { decodeJwt } from 'jose';
import { IdentityServer } from '../testing/identity-server.ts';

const server = await IdentityServer.start();
after(() => server[Symbol.asyncDispose]());
const { identity, url, port } = server;
const { tenantId } = identity;
const azure = 'https://login.microsoftonline.com';

function asHost(host: string): { headers: Record<string, string> } {
  return { headers: { host } };
}

test('OpenID configurations name the endpoints by the name that was asked', async () => {
  const named = `https://localhost:${port}`;
  const table: readonly [string, string, string, string, string][] = [
    [
      `/${tenantId}/v2.0/.well-known/openid-configuration`,
      '',
      url,
      `/${tenantId}/oauth2/v2.0/token`,
      `${url}/${tenantId}/v2.0`,
    ],
    [
      `/common/v2.0/.well-known/openid-configuration`,
      '',
      url,
      `/${tenantId}/oauth2/v2.0/token`,
      `${url}/${tenantId}/v2.0`,
    ],
    [
      `/${tenantId}/.well-known/openid-configuration`,
      '',
      url,
      `/${tenantId}/oauth2/token`,
      `https://sts.windows.net/${tenantId}/`,
    ],
    ['/adfs/.well-known/openid-configuration', '', url, '/adfs/oauth2/token/', `${url}/adfs`],
    [`/adfs/${tenantId}/.well-known/openid-configuration`, '', url, '/adfs/oauth2/token/', `${url}/adfs`],
    ['/adfs/.well-known/openid-configuration', `localhost:${port}`, named, '/adfs/oauth2/token/', `${named}/adfs`],
    [
      `/${tenantId}/v2.0/.well-known/openid-configuration`,
      'login.microsoftonline.com',
      azure,
      `/${tenantId}/oauth2/v2.0/token`,
      `${azure}/${tenantId}/v2.0`,
    ],
    [
      `/${tenantId}/v2.0/.well-known/openid-configuration`,
      'login.microsoftonline.com:443',
      azure,
      `/${tenantId}/oauth2/v2.0/token`,
      `${azure}/${tenantId}/v2.0`,
    ],
  ];
  for (const [path, host, base, endpoint, issuer] of table) {
    const { status, json } = await server.get(path, host === '' ? {} : asHost(host));
    assert.equal(status, 200, path);
    assert.equal(json?.token_endpoint, base + endpoint, path);
    assert.equal(json?.issuer, issuer, path);
    assert.ok(String(json?.authorization_endpoint).startsWith(`${base}/`), path);
    const keys = await server.get(new URL(String(json?.jwks_uri)).pathname);
    assert.equal(((keys.json?.keys ?? []) as unknown[]).length, 1, path);
    assert.doesNotMatch(keys.text, /"[dpq]"/);
  }
  for (const path of [
    `/nobody/v2.0/.well-known/openid-configuration`,
    '/adfs/nobody/.well-known/openid-configuration',
  ]) {
    const { status, json } = await server.get(path);
    assert.deepEqual([status, json?.error_codes], [400, [90002]], path);
  }
});

test('no name but our own gets into an answer', async () => {
  const hosts = [
    'login.example',
    'evil.example:8443',
    `127.0.0.1@evil.example`,
    'localhost.evil.example',
    '127.0.0.1:99999',
  ];
  for (const host of hosts) {
    for (const path of ['/metadata/endpoints', '/adfs/.well-known/openid-configuration', '/v1.0/me']) {
      const answer = await server.get(path, { ...asHost(host), servername: 'localhost' });
      assert.equal(answer.status, 421, `${host} ${path}`);
      assert.ok(!answer.text.includes('evil'));
    }
  }
});

test('instance discovery: our own clouds, with the port that MSAL leaves out, and no other', async () => {
  const ask = (endpoint: string, host?: string) =>
    server.get(
      `/common/discovery/instance?api-version=1.1&authorization_endpoint=${encodeURIComponent(endpoint)}`,
      host === undefined ? {} : asHost(host),
    );
  const configuration = (base: string, tenant: string): string =>
    `${base}/${tenant}/v2.0/.well-known/openid-configuration`;
  const own = await ask(`https://127.0.0.1/${tenantId}/oauth2/v2.0/authorize`, 'login.microsoftonline.com');
  assert.equal(own.json?.tenant_discovery_endpoint, configuration(url, tenantId));
  const cloud = await ask('https://login.microsoftonline.com/common/oauth2/authorize', 'login.microsoftonline.com');
  assert.equal(cloud.json?.tenant_discovery_endpoint, configuration(azure, 'common'));
  const [metadata] = (cloud.json?.metadata ?? []) as { aliases: string[]; preferred_network: string }[];
  assert.deepEqual(metadata?.aliases, ['login.microsoftonline.com']);
  for (const endpoint of ['https://evil.example/common/oauth2/authorize', 'http://127.0.0.1/common', 'x', '']) {
    const { status, json } = await ask(endpoint);
    assert.deepEqual([status, json?.error], [400, 'invalid_instance'], endpoint);
  }
});

test('metadata of the cloud: an object for az cloud register, an array for ARM_CLOUD_METADATA_URL', async () => {
  const old = await server.get('/metadata/endpoints?api-version=2015-01-01');
  assert.deepEqual(old.json, {
    galleryEndpoint: `${url}/`,
    graphEndpoint: `${url}/`,
    portalEndpoint: `${url}/`,
    authentication: { loginEndpoint: `${url}/adfs`, audiences: [`${url}/`] },
  });
  const [cloud] = (await server.get('/metadata/endpoints?api-version=2019-05-01')).json as unknown as {
    name: string;
    authentication: { loginEndpoint: string; audiences: string[] };
    microsoftGraphResourceId: string;
    suffixes: { keyVaultDns: string };
  }[];
  assert.equal(cloud?.authentication.loginEndpoint, `${url}/adfs`);
  assert.equal(cloud?.suffixes.keyVaultDns, `vault.localhost:${port}`);
  // What it tells clients to ask tokens for, is signed and taken.
  assert.equal(identity.audiences.isFor(cloud?.authentication.audiences[0] ?? '', 'management'), true);
  assert.equal(identity.audiences.isFor(cloud?.microsoftGraphResourceId ?? '', 'graph'), true);
  assert.equal(identity.audiences.isFor(`https://${cloud?.suffixes.keyVaultDns}`, 'vault'), true);
});

test('Graph: who an application is, for whoever has a token for it', async () => {
  const { appId, objectId, password } = await identity.principals.create('graph');
  const get = (path: string, token: string | undefined) =>
    server.get(path, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } });
  const tokenFor = async (scope: string): Promise<string> =>
    String((await server.token({ client_id: appId, client_secret: password, scope })).json?.access_token);
  const graph = await tokenFor('https://graph.microsoft.com/.default');
  const filter = (text: string): string => `/v1.0/servicePrincipals?$filter=${encodeURIComponent(text)}`;
  for (const token of [undefined, 'x', await tokenFor('https://vault.azure.net/.default')]) {
    for (const path of ['/v1.0/me', filter(`appId eq '${appId}'`), `/v1.0/servicePrincipals/${objectId}`]) {
      const { status, errorCode } = await get(path, token);
      assert.deepEqual([status, errorCode], [401, 'InvalidAuthenticationToken'], path);
    }
  }
  for (const token of [graph, await tokenFor(`${url}//.default`)]) {
    const me = await get('/v1.0/me', token);
    assert.deepEqual([me.status, me.errorCode], [400, 'BadRequest']);
    for (const text of [
      `servicePrincipalNames/any(c:c eq '${appId}')`,
      `appId eq '${appId.toUpperCase()}'`,
      `id eq '${objectId}'`,
    ]) {
      const { json } = await get(filter(text), token);
      assert.deepEqual(
        ((json?.value ?? []) as { id: string }[]).map(({ id }) => id),
        [objectId],
        text,
      );
    }
    assert.deepEqual((await get(filter("appId eq 'nobody'"), token)).json?.value, []);
    assert.equal((await get(`/v1.0/servicePrincipals/${objectId}`, token)).json?.appId, appId);
    assert.equal((await get('/v1.0/servicePrincipals/nobody', token)).status, 404);
    for (const text of ['', "displayName eq 'graph'", "appId eq 'a' or appId eq 'b'", "appId eq ''"]) {
      assert.equal((await get(filter(text), token)).status, 400, text);
    }
    assert.equal((await get('/v1.0/servicePrincipals', token)).status, 400);
  }
});

test('IMDS: a VM is who its certificate says, and gets tokens as such', async () => {
  const [one, two] = await Promise.all([server.joinedVm('vm-one'), server.joinedVm('vm-two')]);
  const path = (query = 'resource=https://vault.azure.net'): string =>
    `/metadata/identity/oauth2/token?api-version=2018-02-01&${query}`;
  const ask = (
    certificate: typeof one | undefined,
    where = path(),
    headers: Record<string, string> = { Metadata: 'true' },
  ) => server.get(where, { identity: certificate, headers });
  const first = await ask(one);
  assert.equal(first.status, 200, first.text);
  const { access_token: token, ...fields } = first.json ?? {};
  assert.deepEqual(
    Object.entries(fields).map(([name, value]) => `${name} ${typeof value}`),
    [
      'client_id string',
      'expires_in string',
      'expires_on string',
      'ext_expires_in string',
      'not_before string',
      'resource string',
      'token_type string',
    ],
  );
  const machine = identity.managedIdentities.idsOf('vm-one');
  assert.equal(fields.client_id, machine.appId);
  assert.equal((await identity.verifier.verify(String(token), 'vault'))?.objectId, machine.objectId);
  assert.equal(decodeJwt(String(token)).exp, Number(fields.expires_on));
  const other = await ask(two, path().replace('token?', 'token/?'));
  assert.notEqual(other.json?.client_id, fields.client_id);
  assert.equal((await ask(one, path(`resource=${url}/&client_id=${machine.appId}`))).status, 200);

  const table: readonly [string, ReturnType<typeof ask>, number, string][] = [
    ['no header', ask(one, path(), {}), 400, 'invalid_request'],
    ['header', ask(one, path(), { Metadata: 'yes' }), 400, 'invalid_request'],
    ['forwarded', ask(one, path(), { Metadata: 'true', 'X-Forwarded-For': '192.0.2.1' }), 400, 'invalid_request'],
    ['no certificate', ask(undefined), 401, 'unauthorized_client'],
    ['no resource', ask(one, path('')), 400, 'invalid_request'],
    ['two resources', ask(one, path('resource=a&resource=b')), 400, 'invalid_request'],
    ['foreign resource', ask(one, path('resource=https://evil.example')), 400, 'invalid_resource'],
    ['no version', ask(one, path().replace('api-version', 'x')), 400, 'bad_request_102'],
    [
      'of another',
      ask(one, path(`resource=https://vault.azure.net&client_id=${String(other.json?.client_id)}`)),
      400,
      'invalid_request',
    ],
  ];
  for (const [what, call, status, error] of table) {
    const { json, status: got } = await call;
    assert.deepEqual([got, json?.error], [status, error], what);
    assert.equal(typeof json?.error_description, 'string');
  }

  // Many first uses at one time are one record each, and a VM that is gone has none.
  const many = await Promise.all(['vm-two', 'gone', 'vm-two'].map((id) => identity.managedIdentities.ofVm(id)));
  assert.deepEqual(
    many.map((found) => found?.vmId),
    ['vm-two', undefined, 'vm-two'],
  );

  // The VM goes: its certificate, its identity and its tokens with it.
  server.database.change('DELETE FROM vms WHERE id = ?', 'vm-one');
  assert.equal((await ask(one)).status, 403);
  assert.equal(await identity.verifier.verify(String(token), 'vault'), undefined);
  assert.deepEqual(server.failures, []);
});
