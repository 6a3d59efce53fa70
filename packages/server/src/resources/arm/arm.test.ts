import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { AzureClient } from '../../testing/azure-client.ts';
import { TestServer } from '../../testing/test-server.ts';
import { roleDefinitions } from '../authorization/role-definitions.ts';

const vaultPath = '/resourceGroups/rg1/providers/Microsoft.KeyVault/vaults';
const day = 24 * 3600 * 1000;

function roleId(name: string): string {
  const role = roleDefinitions.find((one) => one.name === name);
  assert.ok(role !== undefined, name);
  return `/providers/Microsoft.Authorization/roleDefinitions/${role.id}`;
}

async function withGroup(server: TestServer): Promise<AzureClient> {
  const azure = await AzureClient.administrator(server);
  assert.equal((await azure.arm('PUT', '/resourcegroups/rg1', { location: 'local' })).status, 201);
  return azure;
}

async function makeVault(azure: AzureClient, name: string, properties: object = {}): Promise<Record<string, unknown>> {
  const body = { location: 'local', properties: { tenantId: azure.admin.tenantId, ...properties } };
  const answer = await azure.arm('PUT', `${vaultPath}/${name}`, body);
  assert.equal(answer.status, 201, answer.text);
  return answer.json;
}

async function giveRole(azure: AzureClient, to: AzureClient, role: string, scope = ''): Promise<string> {
  const path = `${scope}/providers/Microsoft.Authorization/roleAssignments/${randomUUID()}`;
  const properties = { principalId: to.credentials.objectId, roleDefinitionId: roleId(role) };
  const answer = await azure.arm('PUT', path, { properties });
  assert.equal(answer.status, 201, answer.text);
  return path;
}

test('who has no token for the plane is told where to get one; nothing else is told', async () => {
  await using server = await TestServer.start();
  const azure = await AzureClient.administrator(server);
  const path = `${azure.subscription}/resourceGroups/rg1?api-version=2021-04-01`;
  const vaultToken = await azure.token(`https://${azure.admin.vaultDnsSuffix}`);
  for (const headers of [
    {},
    { authorization: 'Basic x' },
    { authorization: 'Bearer x' },
    { authorization: `Bearer ${vaultToken}` },
  ]) {
    const answer = await azure.send('GET', path, { headers });
    assert.deepEqual([answer.status, answer.code], [401, 'InvalidAuthenticationToken']);
    const challenge = String(answer.headers['www-authenticate']);
    assert.ok(challenge.startsWith(`Bearer authorization_uri="${server.url}/${azure.admin.tenantId}"`), challenge);
    assert.match(String(answer.headers['x-ms-request-id']), /^[0-9a-f-]{36}$/);
  }
  // The data plane (REQ-321): a token of the other plane is none.
  const armToken = await azure.token(server.url);
  const host = `nowhere.${azure.admin.vaultDnsSuffix}`;
  for (const headers of [{ host }, { host, authorization: `Bearer ${armToken}` }]) {
    const answer = await azure.send('GET', '/secrets?api-version=7.4', { headers });
    assert.deepEqual([answer.status, answer.code], [401, 'Unauthorized']);
    const expected = `Bearer authorization="${server.url}/${azure.admin.tenantId}", resource="https://${azure.admin.vaultDnsSuffix}"`;
    assert.ok(String(answer.headers['www-authenticate']).startsWith(expected));
  }
  assert.equal((await azure.vault('nowhere', 'GET', '/secrets')).status, 404);
  // The wrong token is on record, the missing one is not.
  const filter = { operation: 'Authentication', vault: null, objectId: null, from: null, to: null, limit: 10 };
  const records = await server.admin.call('audit-list', filter);
  assert.equal(records.length, 1);
  assert.deepEqual(server.failures, []);
});

test('paths match in any letter case; names keep the case in which they were made', async () => {
  await using server = await TestServer.start();
  const azure = await withGroup(server);
  await makeVault(azure, 'Kv1');
  const { subscriptionId } = azure.admin;
  for (const path of [
    `/SUBSCRIPTIONS/${subscriptionId.toUpperCase()}/RESOURCEGROUPS/RG1/PROVIDERS/MICROSOFT.KEYVAULT/VAULTS/KV1`,
    `/subscriptions/${subscriptionId}/resourcegroups/rg1/providers/microsoft.keyvault/vaults/kv1`,
  ]) {
    const authorization = `Bearer ${await azure.token(server.url)}`;
    const answer = await azure.send('GET', `${path}?api-version=2016-10-01`, { headers: { authorization } });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.json.name, 'Kv1');
    assert.equal(answer.json.id, `${azure.subscription}${vaultPath}/Kv1`);
  }
  // az keyvault show and list ask like this.
  const filter = encodeURIComponent("resourceType eq 'Microsoft.KeyVault/vaults'");
  const { json } = await azure.arm('GET', `/resources?$filter=${filter}&api-version=2015-11-01`);
  assert.deepEqual(
    (json.value as { name: string }[]).map(({ name }) => name),
    ['Kv1'],
  );
  assert.deepEqual((await azure.arm('GET', "/resources?$filter=resourceType%20eq%20'X/y'")).json.value, []);
});

test('what ARM refuses, it refuses in the shape and with the code of Azure', async () => {
  await using server = await TestServer.start();
  const azure = await withGroup(server);
  await makeVault(azure, 'kv1', { enablePurgeProtection: true, softDeleteRetentionInDays: 7 });
  assert.equal((await azure.arm('PUT', '/resourceGroups/rg2', { location: 'local' })).status, 201);
  const { tenantId } = azure.admin;
  const put = (properties: object, location = 'local'): object => ({ location, properties });
  const other = '/resourceGroups/rg2/providers/Microsoft.KeyVault/vaults';
  const policy = { tenantId, objectId: randomUUID(), permissions: { keys: ['get'] } };
  const rows: readonly (readonly [string, string, unknown, number, string])[] = [
    ['GET', '/resourceGroups/none', undefined, 404, 'ResourceGroupNotFound'],
    ['PATCH', '/resourceGroups/none', { tags: {} }, 404, 'ResourceGroupNotFound'],
    ['DELETE', '/resourceGroups/none', undefined, 404, 'ResourceGroupNotFound'],
    ['PUT', '/resourceGroups/rg1', { location: 'elsewhere' }, 409, 'InvalidResourceLocation'],
    ['PUT', '/resourceGroups/rg3', {}, 400, 'BadRequest'],
    ['PUT', '/resourceGroups/x.', { location: 'local' }, 400, 'InvalidResourceName'],
    ['PUT', '/resourceGroups/rg3', '{', 400, 'InvalidRequestContent'],
    ['GET', '/resourceGroups?api-version=', undefined, 400, 'MissingApiVersionParameter'],
    ['GET', '/resourceGroups?api-version=latest', undefined, 400, 'MissingApiVersionParameter'],
    ['GET', '/resourceGroups?api-version=2021-04-01&api-version=2021-04-01', undefined, 400, 'BadRequest'],
    ['GET', `/subscriptions/${randomUUID()}/resourceGroups`, undefined, 404, 'SubscriptionNotFound'],
    ['GET', '/resources?$filter=substringof(x)', undefined, 400, 'BadRequest'],
    ['GET', `${vaultPath}/none`, undefined, 404, 'ResourceNotFound'],
    ['GET', `${other}/kv1`, undefined, 404, 'ResourceNotFound'],
    ['GET', '/resourceGroups/none/providers/Microsoft.KeyVault/vaults', undefined, 404, 'ResourceGroupNotFound'],
    ['PUT', `${other}/KV1`, put({}), 409, 'VaultAlreadyExists'],
    ['PUT', `${vaultPath}/k`, put({}), 400, 'VaultNameNotValid'],
    ['PUT', `${vaultPath}/a--b`, put({}), 400, 'VaultNameNotValid'],
    ['PUT', `${vaultPath}/1ab`, put({}), 400, 'VaultNameNotValid'],
    ['PUT', `${vaultPath}/kv2`, { properties: {} }, 400, 'BadRequest'],
    ['PUT', `${vaultPath}/kv2`, put({ tenantId: randomUUID() }), 400, 'BadRequest'],
    ['PUT', `${vaultPath}/kv2`, put({ enableSoftDelete: false }), 400, 'BadRequest'],
    ['PUT', `${vaultPath}/kv2`, put({ softDeleteRetentionInDays: 6 }), 400, 'BadRequest'],
    ['PUT', `${vaultPath}/kv2`, put({ softDeleteRetentionInDays: 91 }), 400, 'BadRequest'],
    ['PUT', `${vaultPath}/kv2`, put({ sku: { name: 'gold' } }), 400, 'BadRequest'],
    ['PUT', `${vaultPath}/kv2`, put({ sku: { name: 'premium' } }), 400, 'BadRequest'],
    ['PUT', `${vaultPath}/kv2`, put({ enabledForDeployment: 'yes' }), 400, 'BadRequest'],
    ['PUT', `${vaultPath}/kv2`, put({ networkAcls: { ipRules: [{ value: '10.0.0.0/33' }] } }), 400, 'BadRequest'],
    ['PUT', `${vaultPath}/kv2`, put({ accessPolicies: [{ ...policy, objectId: 'x' }] }), 400, 'BadRequest'],
    ['PUT', `${vaultPath}/kv2`, put({ accessPolicies: Array(1025).fill(policy) }), 400, 'BadRequest'],
    ['PUT', `${vaultPath}/kv2`, put({ createMode: 'recover' }), 404, 'DeletedVaultNotFound'],
    ['PUT', `${vaultPath}/kv2`, { ...put({}), tags: { a: 1 } }, 400, 'BadRequest'],
    ['PUT', '/resourceGroups/none/providers/Microsoft.KeyVault/vaults/kv2', put({}), 404, 'ResourceGroupNotFound'],
    ['PUT', `${vaultPath}/kv1`, put({}, 'elsewhere'), 409, 'InvalidResourceLocation'],
    ['PATCH', `${vaultPath}/kv1`, { properties: { enablePurgeProtection: false } }, 400, 'BadRequest'],
    ['PATCH', `${vaultPath}/kv1`, { properties: { softDeleteRetentionInDays: 8 } }, 400, 'BadRequest'],
    ['PUT', `${vaultPath}/kv1/accessPolicies/merge`, { properties: { accessPolicies: [] } }, 400, 'BadRequest'],
    [
      'POST',
      '/providers/Microsoft.KeyVault/locations/local/deletedVaults/kv1/purge',
      undefined,
      404,
      'DeletedVaultNotFound',
    ],
    ['GET', '/providers/Microsoft.KeyVault/locations/local/operations/x', undefined, 404, 'ResourceNotFound'],
    ['GET', '/nothing/here', undefined, 404, 'NotFound'],
    [
      'PUT',
      '/providers/Microsoft.Authorization/roleAssignments/x',
      { properties: { roleDefinitionId: roleId('Reader') } },
      400,
      'BadRequest',
    ],
    [
      'PUT',
      `/providers/Microsoft.Authorization/roleAssignments/${randomUUID()}`,
      { properties: { roleDefinitionId: 'x' } },
      400,
      'RoleDefinitionDoesNotExist',
    ],
  ];
  for (const [method, path, body, status, code] of rows) {
    const answer = typeof body === 'string' ? await raw(method, path, body) : await azure.arm(method, path, body);
    assert.deepEqual(
      [answer.status, answer.code],
      [status, code],
      `${method} ${path} ${JSON.stringify(body)?.slice(0, 200)}: ${answer.text}`,
    );
    const { message } = answer.json.error as { message: string };
    assert.match(message, /\S; \S/);
  }
  assert.equal((await azure.arm('DELETE', `${vaultPath}/none`)).status, 204);
  assert.equal((await azure.arm('HEAD', '/resourceGroups/none')).status, 404);
  assert.equal((await azure.arm('HEAD', '/resourceGroups/rg1')).status, 204);
  assert.deepEqual(server.failures, []);

  async function raw(method: string, path: string, body: string) {
    const headers = { authorization: `Bearer ${await azure.token(server.url)}`, 'content-type': 'application/json' };
    return azure.send(method, `${azure.subscription}${path}?api-version=2021-04-01`, { body, headers });
  }
});

test('roles on the management plane and on data, from the first owner to a stranger', async () => {
  await using server = await TestServer.start();
  const owner = await withGroup(server);
  await makeVault(owner, 'kv1', { enableRbacAuthorization: true });
  const other = await owner.principal('other');
  const read = `${vaultPath}/kv1`;
  const codeOf = async (method: string, path: string, body?: unknown): Promise<string> =>
    (await other.arm(method, path, body)).code;

  // A stranger learns nothing, not even what is there.
  assert.equal(await codeOf('GET', read), 'AuthorizationFailed');
  assert.equal(await codeOf('GET', `${vaultPath}/none`), 'AuthorizationFailed');
  assert.deepEqual((await other.arm('GET', '/resourceGroups')).json.value, []);
  assert.deepEqual((await other.arm('GET', '/resources')).json.value, []);
  assert.equal((await other.vault('kv1', 'GET', '/secrets/s')).status, 403);
  assert.equal(await codeOf('PUT', `${vaultPath}/kv9`, { location: 'local' }), 'AuthorizationFailed');

  // Contributor of the group: all but roles and data (REQ-365).
  const contributor = await giveRole(owner, other, 'Contributor', '/resourceGroups/rg1');
  assert.equal(await codeOf('GET', read), '');
  assert.equal(((await other.arm('GET', '/providers/Microsoft.KeyVault/vaults')).json.value as unknown[]).length, 1);
  assert.equal((await other.vault('kv1', 'GET', '/secrets/s')).status, 403);
  const grab = `/resourceGroups/rg1/providers/Microsoft.Authorization/roleAssignments/${randomUUID()}`;
  const properties = { principalId: other.credentials.objectId, roleDefinitionId: roleId('Owner') };
  assert.equal(await codeOf('PUT', grab, { properties }), 'AuthorizationFailed');
  assert.equal(await codeOf('PATCH', read, { properties: { enableRbacAuthorization: false } }), 'AuthorizationFailed');
  assert.equal(await codeOf('DELETE', contributor), 'AuthorizationFailed');
  assert.equal(await codeOf('PUT', '/resourceGroups/rg9', { location: 'local' }), 'AuthorizationFailed');

  // A data role works at once, and ends at once.
  assert.equal((await owner.vault('kv1', 'PUT', '/secrets/s', { value: 'x' })).status, 200);
  const user = await giveRole(owner, other, 'Key Vault Secrets User', `${vaultPath}/kv1/secrets/s`);
  assert.equal((await other.vault('kv1', 'GET', '/secrets/s')).json.value, 'x');
  assert.equal((await other.vault('kv1', 'GET', '/secrets/t')).status, 403);
  assert.equal((await other.vault('kv1', 'PUT', '/secrets/s', { value: 'y' })).status, 403);
  assert.equal((await owner.arm('DELETE', user)).status, 200);
  assert.equal((await owner.arm('DELETE', user)).status, 204);
  assert.equal((await other.vault('kv1', 'GET', '/secrets/s')).status, 403);

  // The same assignment again is the same; the GUID for another one is taken.
  const again = await owner.arm('GET', contributor);
  assert.equal((await owner.arm('PUT', contributor, { properties: again.json.properties })).status, 201);
  const changed = { ...(again.json.properties as object), roleDefinitionId: roleId('Reader') };
  assert.equal((await owner.arm('PUT', contributor, { properties: changed })).code, 'RoleAssignmentExists');
  const listed = await owner.arm(
    'GET',
    `/providers/Microsoft.Authorization/roleAssignments?$filter=${encodeURIComponent(`principalId eq '${other.credentials.objectId}'`)}`,
  );
  assert.deepEqual(
    (listed.json.value as { id: string }[]).map(({ id }) => id),
    [`${owner.subscription}${contributor}`],
  );
  const roles = await owner.arm(
    'GET',
    `/providers/Microsoft.Authorization/roleDefinitions?$filter=${encodeURIComponent("roleName eq 'Reader'")}`,
  );
  assert.deepEqual(
    (roles.json.value as { name: string }[]).map(({ name }) => name),
    ['acdd72a7-3385-48ef-bd42-f606fba81ae7'],
  );

  // What its owner has taken from the first administrator stays taken.
  const mine = await owner.arm(
    'GET',
    `/providers/Microsoft.Authorization/roleAssignments?$filter=${encodeURIComponent(`principalId eq '${owner.credentials.objectId}'`)}`,
  );
  const data = (mine.json.value as { id: string; properties: { roleDefinitionId: string } }[]).find((one) =>
    one.properties.roleDefinitionId.endsWith(roleId('Key Vault Administrator').slice(-36)),
  );
  assert.equal((await owner.arm('DELETE', data?.id ?? '')).status, 200);
  await server.stop();
  await server.start();
  const restarted = await AzureClient.administrator(server);
  assert.equal((await restarted.vault('kv1', 'GET', '/secrets/s')).status, 403);
  assert.equal((await restarted.arm('GET', read)).status, 200);
});

test('deleted vaults: kept, recovered with their contents and without their roles, purged by nobody before their day', async () => {
  await using server = await TestServer.start();
  const azure = await withGroup(server);
  const other = await azure.principal('other');
  await makeVault(azure, 'kv1', {
    enableRbacAuthorization: true,
    enablePurgeProtection: true,
    softDeleteRetentionInDays: 7,
  });
  await makeVault(azure, 'kv2', { enableRbacAuthorization: true });
  await giveRole(azure, other, 'Key Vault Secrets User', `${vaultPath}/kv1`);
  await azure.vault('kv1', 'PUT', '/secrets/s', { value: 'x' });
  assert.equal((await other.vault('kv1', 'GET', '/secrets/s')).status, 200);
  const purge = (name: string) =>
    azure.arm('POST', `/providers/Microsoft.KeyVault/locations/local/deletedVaults/${name}/purge`);
  const recover = { location: 'local', properties: { createMode: 'recover' } };

  for (const name of ['kv1', 'kv2']) assert.equal((await azure.arm('DELETE', `${vaultPath}/${name}`)).status, 200);
  assert.equal((await azure.vault('kv1', 'GET', '/secrets/s')).status, 404);
  const taken = await azure.arm('PUT', `${vaultPath}/kv1`, { location: 'local', properties: {} });
  assert.equal(taken.code, 'ConflictError');
  assert.match(taken.text, /recover/);
  assert.equal((await azure.arm('PUT', `${vaultPath}/kv1`, recover)).status, 200);
  assert.equal((await azure.vault('kv1', 'GET', '/secrets/s')).json.value, 'x');
  // REQ-355.
  assert.equal((await other.vault('kv1', 'GET', '/secrets/s')).status, 403);

  assert.equal((await azure.arm('DELETE', `${vaultPath}/kv1`)).status, 200);
  assert.equal((await purge('kv1')).status, 403);
  assert.equal((await azure.finished(await purge('kv2'))).status, 'Succeeded');
  await makeVault(azure, 'kv2');
  assert.equal((await azure.vault('kv2', 'GET', '/secrets/s')).status, 403);

  // Its day: at the next start or within a minute.
  await server.stop();
  server.clockOffset = 8 * day;
  await server.start();
  const later = await AzureClient.administrator(server);
  assert.deepEqual((await later.arm('GET', '/providers/Microsoft.KeyVault/deletedVaults')).json.value, []);
  await makeVault(later, 'kv1', { enableRbacAuthorization: true });
  assert.equal((await later.vault('kv1', 'GET', '/secrets/s')).status, 404);
  assert.deepEqual(server.failures, []);
});

test('a group takes its vaults with it, but no VM', async () => {
  await using server = await TestServer.start();
  const azure = await withGroup(server);
  await makeVault(azure, 'kv1');
  await server.makeVm('vm1');
  // A command that names a group makes it.
  assert.equal((await azure.arm('GET', '/resourceGroups/rg')).status, 200);
  const refused = await azure.arm('DELETE', '/resourceGroups/rg');
  assert.deepEqual([refused.status, refused.code], [409, 'Conflict']);
  assert.match(refused.text, /vm1/);
  const accepted = await azure.arm('DELETE', '/resourceGroups/RG1');
  assert.equal(accepted.status, 202);
  assert.equal(accepted.headers['retry-after'], '1');
  assert.ok(String(accepted.headers.location).startsWith(`https://127.0.0.1:${azure.port}/subscriptions/`));
  assert.equal((await azure.finished(accepted)).status, 'Succeeded');
  assert.equal((await azure.arm('HEAD', '/resourceGroups/rg1')).status, 404);
  const deleted = await azure.arm('GET', '/providers/Microsoft.KeyVault/deletedVaults');
  assert.deepEqual(
    (deleted.json.value as { name: string }[]).map(({ name }) => name),
    ['kv1'],
  );
  // Nobody else sees how it went.
  const other = await azure.principal('other');
  const { pathname, search } = new URL(String(accepted.headers.location));
  assert.equal((await other.arm('GET', pathname + search)).status, 404);
});

test("the administrator's socket speaks the same protocols, as one who may do everything", async () => {
  await using server = await TestServer.start();
  const azure = await AzureClient.administrator(server);
  const call = (method: string, path: string, body?: unknown, host = 'localhost') =>
    azure.send(method, `${path}?api-version=2023-07-01`, {
      socket: true,
      body: body === undefined ? undefined : JSON.stringify(body),
      headers: { host, 'content-type': 'application/json' },
    });
  const group = `${azure.subscription}/resourceGroups/rg1`;
  assert.equal((await call('PUT', group, { location: 'local' })).status, 201);
  const path = `${azure.subscription}${vaultPath}/kv1`;
  // Not even an access policy, and no way in from the network.
  const properties = { enableRbacAuthorization: false, publicNetworkAccess: 'Disabled' };
  const made = await call('PUT', path, { location: 'local', properties });
  assert.equal(made.status, 201, made.text);
  assert.equal((made.json.properties as { vaultUri: string }).vaultUri, `https://kv1.${azure.admin.vaultDnsSuffix}/`);
  const host = 'kv1.vault.localhost';
  assert.equal((await call('PUT', '/secrets/s', { value: 'x' }, host)).status, 200);
  assert.equal((await call('GET', '/secrets/s', undefined, host)).json.value, 'x');
  assert.equal((await azure.vault('kv1', 'GET', '/secrets/s')).status, 403);
  const shown = (await server.admin.call('keyvault-show', { name: 'kv1' })) as { id: string };
  assert.equal(shown.id, path);
  assert.equal((await call('GET', `${azure.subscription}/nothing`)).status, 404);
});

test('requests under another name than ours, or with more than a path, are refused', async () => {
  await using server = await TestServer.start();
  const azure = await AzureClient.administrator(server);
  const authorization = `Bearer ${await azure.token(server.url)}`;
  const path = '/subscriptions?api-version=2021-04-01';
  for (const host of ['evil.example', 'kv1.vault.azure.net', 'management.azure.com', 'a.b.vault.localhost', 'x']) {
    // As one who does not look at the certificate: it has no such name either.
    const answer = await azure.send('GET', path, { headers: { host, authorization }, servername: 'localhost' });
    assert.deepEqual([answer.status, answer.code], [421, 'MisdirectedRequest'], host);
  }
  const refused = await azure.send('GET', `https://127.0.0.1:${azure.port}${path}`, { headers: { authorization } });
  assert.deepEqual([refused.status, refused.code], [421, 'MisdirectedRequest']);
  assert.equal((await azure.send('GET', path, { headers: { authorization } })).status, 200);
});
