import assert from 'node:assert/strict';
import { Agent } from 'node:https';
import type { LookupFunction } from 'node:net';
import { test } from 'node:test';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { KeyVaultManagementClient } from '@azure/arm-keyvault';
import { ResourceManagementClient } from '@azure/arm-resources';
import { ClientSecretCredential } from '@azure/identity';
import { KeyClient, type KeyClientOptions } from '@azure/keyvault-keys';
import { SecretClient } from '@azure/keyvault-secrets';
import { AzureClient } from '../testing/azure-client.ts';
import { TestServer } from '../testing/test-server.ts';

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

type Policy = NonNullable<KeyClientOptions['additionalPolicies']>[number]['policy'];
type Request = Parameters<Policy['sendRequest']>[0];
type Response = Awaited<ReturnType<Policy['sendRequest']>>;

/** `*.localhost` is this machine; glibc alone does not know that. */
const lookup: LookupFunction = (_name, options, done) => {
  const address = { address: '127.0.0.1', family: 4 };
  if (options.all === true) done(null, [address]);
  else done(null, address.address, address.family);
};

async function clientsOf(server: TestServer) {
  const azure = await AzureClient.administrator(server);
  const { admin, authority } = azure;
  const tlsOptions = { ca: authority };
  const agent = new Agent({ ca: authority, lookup });
  const credential = new ClientSecretCredential(admin.tenantId, admin.clientId, admin.clientSecret, {
    authorityHost: server.url,
    disableInstanceDiscovery: true,
    tlsOptions,
  });
  const policy = {
    name: 'findThisMachine',
    sendRequest: (request: Request, next: (request: Request) => Promise<Response>): Promise<Response> => {
      request.agent = agent as unknown as NonNullable<Request['agent']>;
      return next(request);
    },
  };
  const options = {
    endpoint: server.url,
    credentials: { scopes: [`${server.url}/.default`] },
    credentialScopes: [`${server.url}/.default`],
    tlsOptions,
  };
  return {
    azure,
    admin,
    agent,
    vaults: new KeyVaultManagementClient(credential, admin.subscriptionId, options),
    resources: new ResourceManagementClient(credential, admin.subscriptionId, options),
    keys: (url: string) => new KeyClient(url, credential, { additionalPolicies: [{ policy, position: 'perCall' }] }),
    secrets: (url: string) =>
      new SecretClient(url, credential, { additionalPolicies: [{ policy, position: 'perCall' }] }),
  };
}

test('@azure/arm-resources and @azure/arm-keyvault: the whole life of a group and a vault; then keys and secrets in it', async () => {
  await using server = await TestServer.start();
  const { admin, agent, vaults: client, resources, keys, secrets } = await clientsOf(server);
  const { tenantId } = admin;
  assert.equal(
    (await resources.resourceGroups.createOrUpdate('rg1', { location: 'local', tags: { a: 'b' } })).name,
    'rg1',
  );
  assert.deepEqual(
    (await collect(resources.resourceGroups.list())).map(({ name }) => name),
    ['rg1'],
  );
  assert.deepEqual((await resources.resourceGroups.update('RG1', { tags: { c: 'd' } })).tags, { c: 'd' });

  const { vaults } = client;
  const sku = { family: 'A', name: 'standard' } as const;
  assert.equal(
    (await vaults.checkNameAvailability({ name: 'kv1', type: 'Microsoft.KeyVault/vaults' })).nameAvailable,
    true,
  );
  const made = await vaults.createOrUpdate('rg1', 'kv1', {
    location: 'local',
    tags: { team: 'disks' },
    properties: {
      tenantId,
      sku,
      enabledForDiskEncryption: true,
      softDeleteRetentionInDays: 7,
      networkAcls: { bypass: 'AzureServices', defaultAction: 'Allow', ipRules: [{ value: '10.0.0.0/8' }] },
    },
  });
  const url = `https://kv1.${admin.vaultDnsSuffix}/`;
  assert.equal(made.properties.vaultUri, url);
  assert.equal(made.properties.provisioningState, 'Succeeded');
  // REQ-357: the client sends api-version 2026-02-01.
  assert.equal(made.properties.enableRbacAuthorization, true);
  assert.equal(made.properties.enablePurgeProtection, undefined);
  assert.deepEqual(await vaults.get('rg1', 'kv1'), made);
  assert.deepEqual(await collect(vaults.listByResourceGroup('rg1')), [made]);
  assert.deepEqual(await collect(vaults.listBySubscription()), [made]);
  assert.deepEqual(
    (await collect(vaults.list())).map(({ name }) => name),
    ['kv1'],
  );
  const taken = await vaults.checkNameAvailability({ name: 'KV1', type: 'Microsoft.KeyVault/vaults' });
  assert.deepEqual([taken.nameAvailable, taken.reason], [false, 'AlreadyExists']);

  const key = await keys(url).createRsaKey('kek', { keySize: 2048 });
  assert.match(key.id ?? '', new RegExp(`^${url}keys/kek/[0-9a-f]{32}$`));
  await secrets(url).setSecret('s1', 'välue');
  assert.equal((await secrets(url).getSecret('s1')).value, 'välue');
  await (await keys(url).beginDeleteKey('kek', { intervalInMs: 1 })).pollUntilDone();
  assert.equal((await keys(url).getDeletedKey('kek')).name, 'kek');

  const policy = { tenantId, objectId: admin.objectId, permissions: { keys: ['get', 'wrapKey'], secrets: ['all'] } };
  const added = await vaults.updateAccessPolicy('rg1', 'kv1', 'add', { properties: { accessPolicies: [policy] } });
  assert.deepEqual(added.properties.accessPolicies[0]?.permissions.keys, ['get', 'wrapKey']);
  const patched = await vaults.update('rg1', 'kv1', { properties: { enabledForDeployment: true } });
  assert.equal(patched.properties.enabledForDeployment, true);
  assert.equal(patched.properties.enabledForDiskEncryption, true);

  await vaults.delete('rg1', 'kv1');
  await assert.rejects(vaults.get('rg1', 'kv1'), { statusCode: 404 });
  const [deleted] = await collect(vaults.listDeleted());
  assert.equal(deleted?.properties?.vaultId, made.id);
  const { deletionDate, scheduledPurgeDate } = (await vaults.getDeleted('kv1', 'local')).properties ?? {};
  assert.equal(Number(scheduledPurgeDate) - Number(deletionDate), 7 * 24 * 3600 * 1000);
  await assert.rejects(vaults.createOrUpdate('rg1', 'kv1', { location: 'local', properties: { tenantId, sku } }), {
    code: 'ConflictError',
  });
  await vaults.createOrUpdate('rg1', 'kv1', {
    location: 'local',
    properties: { tenantId, sku, createMode: 'recover' },
  });
  assert.equal((await secrets(url).getSecret('s1')).value, 'välue');

  await resources.resourceGroups.delete('rg1', { updateIntervalInMs: 1 });
  assert.deepEqual(await collect(resources.resourceGroups.list()), []);
  await vaults.purgeDeleted('kv1', 'local', { updateIntervalInMs: 1 });
  assert.deepEqual(await collect(vaults.listDeleted()), []);
  agent.destroy();
  assert.deepEqual(server.failures, []);
});

test("the proxy: Azure's own names, and clients without any option but the authority", async () => {
  await using server = await TestServer.start({ server: { proxyListen: '127.0.0.1:0' } });
  const azure = await AzureClient.administrator(server);
  const { admin, authority } = azure;
  // As NODE_EXTRA_CA_CERTS does it: behind a proxy the clients take no authority of their own.
  setDefaultCACertificates([...getCACertificates('default'), authority]);
  const reach = { proxyOptions: { host: 'http://127.0.0.1', port: server.proxyPort } };
  const credential = new ClientSecretCredential(admin.tenantId, admin.clientId, admin.clientSecret, reach);
  const resources = new ResourceManagementClient(credential, admin.subscriptionId, reach);
  await resources.resourceGroups.createOrUpdate('rg1', { location: 'local' });
  const management = new KeyVaultManagementClient(credential, admin.subscriptionId, reach);
  const properties = { tenantId: admin.tenantId, sku: { family: 'A', name: 'standard' } } as const;
  const made = await management.vaults.createOrUpdate('rg1', 'kv1', { location: 'local', properties });
  assert.equal(made.properties.vaultUri, 'https://kv1.vault.azure.net/');
  const secrets = new SecretClient('https://kv1.vault.azure.net', credential, reach);
  assert.match(
    (await secrets.setSecret('s1', 'x')).properties.id ?? '',
    /^https:\/\/kv1\.vault\.azure\.net\/secrets\/s1\//,
  );
  assert.equal((await secrets.getSecret('s1')).value, 'x');
  assert.deepEqual(server.failures, []);
});
