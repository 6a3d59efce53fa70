import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect as tcpConnect } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { findRole, roleDefinitions } from '../resources/authorization/role-definitions.ts';
import { AzureClient } from '../testing/azure-client.ts';
import { httpCall } from '../testing/http-call.ts';
import { TestAgent } from '../testing/test-agent.ts';
import { TestServer } from '../testing/test-server.ts';

const vaultsOf = (group: string): string => `/resourceGroups/${group}/providers/Microsoft.KeyVault/vaults`;

async function makeVault(azure: AzureClient, group: string, name: string, rbac = true): Promise<void> {
  await azure.arm('PUT', `/resourceGroups/${group}`, { location: 'local' });
  const properties = { tenantId: azure.admin.tenantId, enableRbacAuthorization: rbac };
  const made = await azure.arm('PUT', `${vaultsOf(group)}/${name}`, { location: 'local', properties });
  assert.equal(made.status, 201, made.text);
}

async function giveRole(azure: AzureClient, principalId: string, role: string, scope: string): Promise<string> {
  const { id = '' } = roleDefinitions.find(({ name }) => name === role) ?? {};
  const path = `${scope}/providers/Microsoft.Authorization/roleAssignments/${randomUUID()}`;
  const roleDefinitionId = `/providers/Microsoft.Authorization/roleDefinitions/${findRole(id)?.id}`;
  const answer = await azure.arm('PUT', path, { properties: { principalId, roleDefinitionId } });
  assert.equal(answer.status, 201, answer.text);
  return path;
}

/** Everything that comes back for some bytes on one connection. */
async function exchange({ authority, port }: AzureClient, sent: string): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port: Number(port), ca: authority });
  await once(socket, 'secureConnect');
  socket.on('error', () => undefined);
  socket.write(sent);
  return text(socket);
}

test('what stands in the body of a refused request is never a request', async () => {
  await using server = await TestServer.start();
  const azure = await AzureClient.administrator(server);
  await makeVault(azure, 'rg', 'kv1');
  const vault = `kv1.${azure.admin.vaultDnsSuffix}`;
  const own = new URL(server.url).host;
  const vaultToken = await azure.token(`https://${azure.admin.vaultDnsSuffix}`);
  const smuggled = `GET /secrets/smuggled?api-version=7.4 HTTP/1.1\r\nHost: ${vault}\r\nAuthorization: Bearer ${vaultToken}\r\n\r\n`;
  const last = `GET /metadata/endpoints?api-version=2022-09-01 HTTP/1.1\r\nHost: ${own}\r\nConnection: close\r\n\r\n`;
  const long = smuggled.repeat(Math.ceil(2_000_000 / smuggled.length));
  const arm = `/subscriptions/${azure.admin.subscriptionId}/resourceGroups/x?api-version=2021-04-01`;
  const armToken = await azure.token(server.url);
  const withToken = (token: string): string => `Authorization: Bearer ${token}\r\n`;
  const rows: readonly (readonly [what: string, head: string, body: string, status: number])[] = [
    ['data plane, no token', `PUT /secrets/a?api-version=7.4 HTTP/1.1\r\nHost: ${vault}\r\n`, smuggled, 401],
    ['data plane, wrong token', `PUT /secrets/a HTTP/1.1\r\nHost: ${vault}\r\n${withToken('x.y.z')}`, smuggled, 401],
    ['data plane, too long', `PUT /secrets/a HTTP/1.1\r\nHost: ${vault}\r\n${withToken(vaultToken)}`, long, 413],
    ['data plane, GET', `GET /nothing HTTP/1.1\r\nHost: ${vault}\r\n${withToken(vaultToken)}`, smuggled, 404],
    ['another host', 'PUT /secrets/a HTTP/1.1\r\nHost: evil.example\r\n', smuggled, 421],
    ['absolute form', `GET https://${own}/secrets HTTP/1.1\r\nHost: ${vault}\r\n`, smuggled, 421],
    ['ARM, no token', `PUT ${arm} HTTP/1.1\r\nHost: ${own}\r\nContent-Type: application/json\r\n`, smuggled, 401],
    ['ARM, too long', `PUT ${arm} HTTP/1.1\r\nHost: ${own}\r\n${withToken(armToken)}`, long, 413],
    [
      'identity, no form',
      `POST /adfs/oauth2/token HTTP/1.1\r\nHost: ${own}\r\nContent-Type: text/x\r\n`,
      smuggled,
      415,
    ],
    ['an agent without certificate', `PUT /agent/v1/status HTTP/1.1\r\nHost: ${own}\r\n`, smuggled, 401],
  ];
  for (const [what, head, body, status] of rows) {
    for (const isChunked of [false, true]) {
      const framed = isChunked
        ? `Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
        : `Content-Length: ${body.length}\r\n\r\n${body}`;
      const answers = [...(await exchange(azure, head + framed + last)).matchAll(/HTTP\/1\.1 (\d{3})/g)];
      const statuses = answers.map(([, code]) => Number(code));
      // The rest of the body is passed over, or the connection ends.
      const expected = statuses.length === 1 ? [status] : [status, 200];
      assert.deepEqual(statuses, expected, `${what}, ${isChunked ? 'chunked' : 'of known length'}`);
    }
  }
  // Two ways to say how long a body is, in one request.
  for (const both of [
    'Content-Length: 4\r\nTransfer-Encoding: chunked',
    'Transfer-Encoding: xchunked',
    'Transfer-Encoding: chunked, identity',
    'Content-Length: 4\r\nContent-Length: 5',
    'Content-Length: +4',
  ]) {
    const head = `PUT /secrets/a HTTP/1.1\r\nHost: ${vault}\r\n${both}\r\n\r\n`;
    const answers = await exchange(azure, `${head}0\r\n\r\n${smuggled}${last}`);
    assert.match(answers, /^HTTP\/1\.1 40[01] /, both);
    assert.equal(answers.match(/HTTP\/1\.1 \d{3}/g)?.length, 1, both);
  }
  const filter = { vault: 'kv1', operation: 'SecretGet', objectId: null, from: null, to: null, limit: 10 };
  assert.deepEqual(await server.admin.call('audit-list', filter), []);
  assert.deepEqual(server.failures, []);
});

test('a token is good for the plane that it was made for, and for no other', async () => {
  await using server = await TestServer.start();
  const azure = await AzureClient.administrator(server);
  await makeVault(azure, 'rg', 'kv1');
  const { vaultDnsSuffix } = azure.admin;
  const planes = {
    vault: [{ host: `kv1.${vaultDnsSuffix}` }, '/secrets?api-version=7.4'],
    management: [{}, `${azure.subscription}?api-version=2021-04-01`],
    graph: [{}, `/v1.0/servicePrincipals/${azure.admin.objectId}`],
  } as const;
  const rows: readonly (readonly [audience: string, planes: readonly string[]])[] = [
    [`https://${vaultDnsSuffix}`, ['vault']],
    ['https://vault.azure.net', ['vault']],
    ['https://management.azure.com', ['management']],
    ['https://management.core.windows.net', ['management']],
    ['https://graph.microsoft.com', ['graph']],
    // A cloud of one's own has one name for both.
    [server.url, ['management', 'graph']],
  ];
  for (const [audience, good] of rows) {
    const authorization = `Bearer ${await azure.token(audience)}`;
    for (const [plane, [headers, path]] of Object.entries(planes)) {
      const { status } = await azure.send('GET', path, { headers: { ...headers, authorization } });
      assert.equal(status, good.includes(plane) ? 200 : 401, `${audience} at ${plane}`);
    }
  }
  // Where one name were both, so would a token be.
  for (const server of [{ vaultDnsSuffix: 'localhost' }, { vaultDnsSuffix: 'a.example', names: ['A.example'] }]) {
    await assert.rejects(TestServer.start({ server }), { code: 'KNK-SRV-0025' });
  }
});

test('who may manage a vault, but give nobody roles, gets no data of a vault that goes by roles', async () => {
  await using server = await TestServer.start();
  const azure = await AzureClient.administrator(server);
  await makeVault(azure, 'rg', 'victim');
  await makeVault(azure, 'rg2', 'mine');
  const contributor = await azure.principal('contributor');
  const { objectId } = contributor.credentials;
  assert.equal((await azure.vault('victim', 'PUT', '/secrets/s', { value: 'canary' })).status, 200);
  const everything = { keys: ['all'], secrets: ['all'] };
  const policy = { tenantId: azure.admin.tenantId, objectId, permissions: everything };
  const assignment = `providers/Microsoft.Authorization/roleAssignments/${randomUUID()}`;
  const owner = { properties: { principalId: objectId, roleDefinitionId: '8e3af657-a8ff-443c-a75c-2fe8c4bcb635' } };

  // First of another vault only: no spelling of a path leads from there to the victim.
  await giveRole(azure, objectId, 'Contributor', `${vaultsOf('rg2')}/mine`);
  const mine = 'rg2%2Fproviders%2FMicrosoft.KeyVault%2Fvaults%2Fmine';
  for (const path of [
    `${vaultsOf('rg')}/victim`,
    `${vaultsOf(mine)}/victim`,
    `${vaultsOf('rg2')}/mine%2F..%2F..%2F..%2F..%2Frg%2Fproviders%2FMicrosoft.KeyVault%2Fvaults%2Fvictim`,
    `${vaultsOf('rg2')}/mine/../../../../../${vaultsOf('rg')}/victim`,
    `${vaultsOf('rg2')}/mine%00/../victim`,
    `/${vaultsOf('rg')}/victim`,
    `${vaultsOf('RG')}/VICTIM/`,
    `${vaultsOf('rg.')}/victim`,
    `${vaultsOf('rg2')}/mine;/victim`,
  ]) {
    for (const [method, body] of [
      ['GET', undefined],
      ['PATCH', { properties: { accessPolicies: [policy] } }],
      ['PUT', { location: 'local', properties: { tenantId: azure.admin.tenantId, accessPolicies: [policy] } }],
      ['DELETE', undefined],
    ] as const) {
      const answer = await contributor.arm(method, path, body);
      assert.ok([400, 403, 404].includes(answer.status), `${method} ${path}: ${answer.status} ${answer.text}`);
    }
  }
  assert.equal((await azure.arm('GET', `${vaultsOf('rg')}/victim`)).status, 200);

  // Then of the victim itself.
  const victim = `${vaultsOf('rg')}/victim`;
  await giveRole(azure, objectId, 'Contributor', '/resourceGroups/rg');
  const old = `${victim}?api-version=2016-10-01`;
  const put = { location: 'local', properties: { tenantId: azure.admin.tenantId, accessPolicies: [policy] } };
  const rows: readonly (readonly [string, string, unknown, number])[] = [
    ['PUT', `${victim}/${assignment}`, owner, 403],
    ['PUT', `/resourceGroups/rg/${assignment}`, owner, 403],
    ['PUT', `${victim}/secrets/s/${assignment}`, owner, 403],
    ['PATCH', victim, { properties: { enableRbacAuthorization: false } }, 403],
    ['PUT', old, { ...put, properties: { ...put.properties, enableRbacAuthorization: false } }, 403],
    // These are done, and are worth nothing.
    ['PUT', old, put, 200],
    ['PUT', `${victim}/accessPolicies/add`, { properties: { accessPolicies: [policy] } }, 200],
    ['DELETE', victim, undefined, 200],
    ['PUT', old, { location: 'local', properties: { ...put.properties, createMode: 'recover' } }, 200],
  ];
  for (const [method, path, body, status] of rows) {
    const answer = await contributor.arm(method, path, body);
    assert.equal(answer.status, status, `${method} ${path}: ${answer.text}`);
    const got = await contributor.vault('victim', 'GET', '/secrets/s');
    assert.ok(status === 200 && method === 'DELETE' ? got.status === 404 : got.status === 403, got.text);
  }
  assert.equal((await azure.vault('victim', 'GET', '/secrets/s')).json.value, 'canary', 'its owner has it still');
  // A vault is not made anew around what was in it.
  assert.equal((await contributor.arm('DELETE', victim)).status, 200);
  const purge = '/providers/Microsoft.KeyVault/locations/local/deletedVaults/victim/purge';
  assert.equal((await contributor.arm('POST', purge)).status, 403);
  assert.equal((await contributor.arm('PUT', victim, put)).status, 409);
  assert.deepEqual(server.failures, []);
});

test('who has no role cannot tell a group or a vault that is there from one that is not', async () => {
  await using server = await TestServer.start();
  const azure = await AzureClient.administrator(server);
  await makeVault(azure, 'there', 'kvthere');
  await makeVault(azure, 'there', 'kvgone');
  await azure.arm('DELETE', `${vaultsOf('there')}/kvgone`);
  const stranger = await azure.principal('stranger');
  const elsewhere = await azure.principal('elsewhere');
  await makeVault(azure, 'rg2', 'mine');
  await giveRole(azure, elsewhere.credentials.objectId, 'Owner', '/resourceGroups/rg2');
  const calls = (group: string, vault: string): (readonly [string, string, unknown?])[] => [
    ['GET', `/resourceGroups/${group}`],
    ['HEAD', `/resourceGroups/${group}`],
    ['PATCH', `/resourceGroups/${group}`, { tags: {} }],
    ['DELETE', `/resourceGroups/${group}`],
    ['GET', `/resourceGroups/${group}/resources`],
    ['GET', vaultsOf(group)],
    ['GET', `${vaultsOf(group)}/${vault}`],
    ['PATCH', `${vaultsOf(group)}/${vault}`, {}],
    ['PUT', `${vaultsOf(group)}/${vault}`, { location: 'local', properties: {} }],
    ['DELETE', `${vaultsOf(group)}/${vault}`],
    ['PUT', `${vaultsOf(group)}/${vault}/accessPolicies/add`, { properties: { accessPolicies: [] } }],
    ['GET', `${vaultsOf(group)}/${vault}/providers/Microsoft.Authorization/roleAssignments`],
    ['GET', `/providers/Microsoft.KeyVault/locations/local/deletedVaults/${vault}`],
    ['POST', `/providers/Microsoft.KeyVault/locations/local/deletedVaults/${vault}/purge`],
  ];
  for (const who of [stranger, elsewhere]) {
    for (const [group, vault] of [
      ['there', 'kvthere'],
      ['there', 'kvgone'],
    ] as const) {
      const absent = calls('nowhere', 'kvnowhere');
      for (const [index, [method, path, body]] of calls(group, vault).entries()) {
        const found = await who.arm(method, path, body);
        const [, other = '', otherBody] = absent[index] ?? [];
        const missing = await who.arm(method, other, otherBody);
        const plain = (answered: string): string =>
          answered.replaceAll(/kvthere|kvgone|kvnowhere/g, 'VAULT').replaceAll(/(?<=resourceGroups\/)\w+/g, 'GROUP');
        assert.deepEqual([found.status, plain(found.text)], [missing.status, plain(missing.text)], `${method} ${path}`);
        assert.equal(found.status, 403, `${method} ${path}: ${found.text}`);
      }
    }
  }
  // Who has a role on something in a group may look for it.
  await giveRole(azure, stranger.credentials.objectId, 'Reader', `${vaultsOf('there')}/kvthere`);
  const { json } = await stranger.arm('GET', vaultsOf('there'));
  assert.equal((json.value as unknown[]).length, 1);
  assert.deepEqual(server.failures, []);
});

test('the identity of a VM has the rights that it was given, and no others', async () => {
  await using server = await TestServer.start();
  const azure = await AzureClient.administrator(server);
  await makeVault(azure, 'rg', 'kv1');
  for (const name of ['of-a', 'of-b']) await azure.vault('kv1', 'PUT', `/secrets/${name}`, { value: `canary ${name}` });
  const resource = encodeURIComponent(`https://${azure.admin.vaultDnsSuffix}`);
  const tokens: string[] = [];
  const names = ['vm-a', 'vm-b'];
  const agents: TestAgent[] = [];
  for (const name of names) agents.push(await TestAgent.join(server, (await server.makeVm(name)).token));
  for (const { authority, identity } of agents) {
    const url = `${server.url}/metadata/identity/oauth2/token?api-version=2018-02-01&resource=${resource}`;
    const answer = await httpCall({ url, authority, identity, headers: { metadata: 'true' } });
    tokens.push(String(answer.json?.access_token));
  }
  const read = async (index: number, path: string): Promise<number> => {
    const headers = { host: `kv1.${azure.admin.vaultDnsSuffix}`, authorization: `Bearer ${tokens[index]}` };
    return (await azure.send('GET', `${path}?api-version=7.4`, { headers })).status;
  };
  assert.deepEqual([await read(0, '/secrets/of-a'), await read(0, '/secrets')], [403, 403], 'nothing by itself');
  const { oid } = JSON.parse(Buffer.from(tokens[0]?.split('.')[1] ?? '', 'base64url').toString()) as { oid: string };
  await giveRole(azure, oid, 'Key Vault Secrets User', `${vaultsOf('rg')}/kv1/secrets/of-a`);
  for (const [path, status] of [
    ['/secrets/of-a', 200],
    ['/SECRETS/OF-A/', 200],
    ['/secrets/of-b', 403],
    ['/secrets/of-a%2F..%2Fof-b', 400],
    ['/secrets/of-a/../of-b', 404],
    ['/secrets/of%2Db', 403],
    ['/secrets/of-%62', 403],
    ['/secrets/no-such', 403],
    ['/secrets', 403],
    ['/deletedsecrets/of-a', 404],
    ['/keys/of-a', 403],
  ] as const) {
    assert.equal(await read(0, path), status, path);
  }
  assert.equal(await read(1, '/secrets/of-a'), 403, 'the other VM');
  // The identity goes with the machine, at once.
  await server.admin.call('vm-delete', { resourceGroup: 'rg', name: 'vm-a' });
  assert.equal(await read(0, '/secrets/of-a'), 401);
  assert.deepEqual(server.failures, []);
});

test('the proxy holds nobody who says nothing', { timeout: 60_000 }, async () => {
  await using server = await TestServer.start({ server: { proxyListen: '127.0.0.1:0' } });
  const starts = ['', 'CONNECT kv1.vault.azure.net:443 HT', 'CONNECT kv1.vault.azure.net:443 HTTP/1.1\r\n\r\n'];
  await Promise.all(
    starts.map(async (start) => {
      const socket = tcpConnect(server.proxyPort, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write(start);
      socket.resume();
      await once(socket, 'close');
    }),
  );
  assert.deepEqual(server.failures, []);
});
