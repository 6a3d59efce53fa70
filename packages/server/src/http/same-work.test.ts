import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { StatementSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { routes } from '@kannuki/keyvault/rest/routes';
import { AzureClient } from '../testing/azure-client.ts';
import { IdentityServer } from '../testing/identity-server.ts';
import { TestAgent } from '../testing/test-agent.ts';
import { TestServer } from '../testing/test-server.ts';

/**
 * That a refusal takes the same time whether its object is there or not is shown by what is done for it: every statement
 * of every database of the process, in its order. Time itself shows nothing on a machine that does other things too.
 */
const statements: string[] = [];
const methods = ['all', 'get', 'iterate', 'run'] as const;
const originals = methods.map((name) => StatementSync.prototype[name]);
before(() => {
  for (const [index, name] of methods.entries()) {
    Object.assign(StatementSync.prototype, {
      [name](this: StatementSync, ...values: never[]) {
        statements.push(this.sourceSQL);
        return Reflect.apply(originals[index] as never, this, values) as unknown;
      },
    });
  }
});
after(() => {
  for (const [index, name] of methods.entries()) Object.assign(StatementSync.prototype, { [name]: originals[index] });
});

interface Seen {
  readonly status: number;
  readonly text: string;
}

/** Work and answer of a call; the first is not counted, for it may find something for the first time. */
async function workOf(call: () => Promise<Seen>): Promise<{ readonly answer: Seen; readonly work: readonly string[] }> {
  await call();
  let least: readonly string[] | undefined;
  let answer: Seen = { status: 0, text: '' };
  // What a timer of the server does meanwhile is in one of them at most.
  for (let run = 0; run < 3; run += 1) {
    statements.length = 0;
    answer = await call();
    if (least === undefined || statements.length < least.length) least = [...statements];
  }
  return { answer, work: least ?? [] };
}

const names = /of-person|of-b|no-such/g;
const plain = ({ status, text }: Seen): readonly unknown[] => [
  status,
  text
    .replaceAll(names, 'NAME')
    .replaceAll(/[0-9a-f]{32}/g, 'VERSION')
    .replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'ID')
    .replaceAll(/\d{4}-\d\d-\d\d[T ][\d:.]+Z/g, 'TIME'),
];

async function assertSame(what: string, there: () => Promise<Seen>, absent: () => Promise<Seen>): Promise<void> {
  const [found, missing] = [await workOf(there), await workOf(absent)];
  assert.ok(found.answer.status >= 400, `${what} is refused: ${found.answer.text}`);
  assert.deepEqual(plain(found.answer), plain(missing.answer), what);
  assert.deepEqual(found.work, missing.work, what);
}

test('the data plane does the same for a forbidden object that is there as for one that is not, in every call', async () => {
  await using server = await TestServer.start();
  const azure = await AzureClient.administrator(server);
  await azure.arm('PUT', '/resourceGroups/rg', { location: 'local' });
  const vault = '/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv1';
  const properties = { tenantId: azure.admin.tenantId, enableRbacAuthorization: true };
  assert.equal((await azure.arm('PUT', vault, { location: 'local', properties })).status, 201);
  const versions: Record<string, string> = {};
  const secret = await azure.vault('kv1', 'PUT', '/secrets/of-person', { value: 'canary' });
  const key = await azure.vault('kv1', 'POST', '/keys/of-person/create', { kty: 'EC' });
  versions.secrets = String(secret.json.id).split('/').at(-1) ?? '';
  versions.keys = String((key.json.key as { kid: string }).kid)
    .split('/')
    .at(-1) as string;
  for (const collection of ['keys', 'secrets']) {
    const made = collection === 'keys' ? ['POST', '/create', { kty: 'EC' }] : ['PUT', '', { value: 'canary' }];
    const [method, verb, body] = made as [string, string, object];
    assert.equal((await azure.vault('kv1', method, `/${collection}/of-b${verb}`, body)).status, 200);
    assert.equal((await azure.vault('kv1', 'DELETE', `/${collection}/of-b`)).status, 200);
  }
  // Whoever may look has it looked for: statements are seen.
  assert.notDeepEqual((await workOf(() => azure.vault('kv1', 'GET', '/secrets/no-such'))).work, []);
  // May read one secret, which is neither of them.
  const stranger = await azure.principal('stranger');
  const { objectId: principalId } = stranger.credentials;
  const roleDefinitionId = '4633458b-17de-408a-b874-0445c86b69e6';
  const path = `${vault}/secrets/other/providers/Microsoft.Authorization/roleAssignments/${randomUUID()}`;
  assert.equal((await azure.arm('PUT', path, { properties: { principalId, roleDefinitionId } })).status, 201);

  let calls = 0;
  for (const { method, pattern } of routes) {
    if (!pattern.includes('{n}')) continue;
    const collection = pattern.includes('keys') ? 'keys' : 'secrets';
    const call = (name: string, version: string) => async (): Promise<Seen> => {
      const at = `/${pattern.replace('{n}', name).replace('{v}', version)}`;
      return stranger.vault('kv1', method, at, method === 'GET' || method === 'DELETE' ? undefined : {});
    };
    const name = pattern.startsWith('deleted') ? 'of-b' : 'of-person';
    await assertSame(`${method} ${pattern}`, call(name, versions[collection] ?? ''), call('no-such', 'f'.repeat(32)));
    calls += 1;
  }
  assert.ok(calls > 35, `${calls}`);
  // The management plane.
  for (const at of ['', '/secrets/of-person/providers/Microsoft.Authorization/roleAssignments']) {
    const there = (): Promise<Seen> => stranger.arm('GET', `${vault}${at}`);
    const absent = (): Promise<Seen> =>
      stranger.arm('GET', `${vault}${at}`.replace('of-person', 'no-such').replace('kv1', 'kv9'));
    const plainVault =
      (call: () => Promise<Seen>): (() => Promise<Seen>) =>
      async () => {
        const { status, text } = await call();
        return { status, text: text.replaceAll(/kv[19]/g, 'VAULT') };
      };
    await assertSame(`GET of ARM ${at}`, plainVault(there), plainVault(absent));
  }
  assert.deepEqual(server.failures, []);
});

test('agents: the secrets and keys of others are as those that are not there', async () => {
  await using server = await TestServer.start({
    images: [{ urn: 'Debian:debian-12:12:latest', volumes: 'os-and-data', reason: 'built by the test' }],
  });
  const agents: TestAgent[] = [];
  const place = { resourceGroup: 'rg', location: null, sku: 'standard', enabledForDiskEncryption: true } as const;
  await server.admin.call('keyvault-create', { name: 'kv1', ...place });
  for (const name of ['of-a', 'of-b']) {
    await server.admin.call('keyvault-key-create', { vaultName: 'kv1', name, kind: 'RSA', bits: 2048 });
    const { token } = await server.makeVm(name);
    agents.push(await TestAgent.join(server, token));
    await server.admin.call('vm-encryption-enable', {
      resourceGroup: 'rg',
      name,
      vaultName: 'kv1',
      kek: name,
      kekVaultName: null,
      volumeType: 'DATA',
      force: true,
      stopServices: false,
    });
  }
  const [a, b] = agents as [TestAgent, TestAgent];
  const value = Buffer.alloc(256, 7).toString('base64');
  const stored = await b.vault('setSecret', { name: 'of-b', contentType: null, tags: {}, value: 'eHh4eA==' });
  const secretId = String(stored.json?.id);
  const keyId = 'https://kv1.vault.localhost/keys/of-b';
  const rows: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
    ['getSecret', { secretId }],
    ['getSecret', { secretId: secretId.replace(/\/[0-9a-f]{32}$/, '') }],
    ['keyInfo', { keyId }],
    ['wrapKey', { keyId, algorithm: 'RSA-OAEP', value }],
    ['unwrapKey', { keyId, algorithm: 'RSA-OAEP', value }],
  ];
  for (const [call, body] of rows) {
    const absent = JSON.parse(JSON.stringify(body).replace('of-b', 'no-such')) as object;
    await assertSame(
      call,
      () => a.vault(call, body),
      () => a.vault(call, absent),
    );
  }
  assert.deepEqual(server.failures, []);
});

test('the token endpoint does the same for a client that is not there as for a wrong secret', async () => {
  await using server = await IdentityServer.start();
  const { identity } = server;
  const { appId, password } = await identity.principals.create('one');
  const ask = (clientId: string, secret: string) => async (): Promise<Seen & { readonly runs: number }> => {
    const before = identity.hasher.runs;
    // Past any waiting for what came before.
    server.pass(3600_000);
    const scope = 'https://vault.azure.net/.default';
    const answer = await server.token({ client_id: clientId, client_secret: secret, scope });
    return { ...answer, runs: identity.hasher.runs - before };
  };
  const wrong = `${'0'.repeat(8)}~${'x'.repeat(43)}`;
  const nobody = randomUUID();
  assert.deepEqual([(await ask(appId, wrong)()).runs, (await ask(nobody, wrong)()).runs], [1, 1]);
  await assertSame('a wrong secret', ask(appId, wrong), ask(nobody, wrong));
  await assertSame('what is no secret', ask(appId, 'x'), ask(nobody, 'x'));
  assert.equal((await ask(appId, password)()).status, 200);
});
