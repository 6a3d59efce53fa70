import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { RestError } from '@azure/core-rest-pipeline';
import { SecretClient } from '@azure/keyvault-secrets';
import { admin, collect, credential, group, location, makeVault, quick, resources, vaults, vaultUrl } from './azure.ts';

// The samples of @azure/arm-keyvault and @azure/arm-resources that a vault for disks needs.
const base = { location, properties: { tenantId: admin.tenantId, sku: { family: 'A', name: 'standard' } } } as const;
before(async () => {
  await resources.resourceGroups.createOrUpdate(group, { location });
});

const fails = (statusCode: number, code?: string) => (error: unknown) =>
  error instanceof RestError && error.statusCode === statusCode && (code === undefined || error.code === code);

test('resource groups: make, show, list, look for, delete', async () => {
  const made = await resources.resourceGroups.createOrUpdate('rg-life', { location, tags: { of: 'a test' } });
  assert.equal(made.properties?.provisioningState, 'Succeeded');
  assert.match(made.id ?? '', new RegExp(`^/subscriptions/${admin.subscriptionId}/resourceGroups/rg-life$`));
  assert.deepEqual((await resources.resourceGroups.get('RG-LIFE')).tags, { of: 'a test' });
  assert.ok((await collect(resources.resourceGroups.list())).some(({ name }) => name === 'rg-life'));
  await resources.resourceGroups.delete('rg-life', { updateIntervalInMs: 50 });
  await assert.rejects(resources.resourceGroups.get('rg-life'), fails(404, 'ResourceGroupNotFound'));
});

test('vaults: make, show, list, update, name taken', async () => {
  const made = await vaults.vaults.createOrUpdate(group, 'conf-life', {
    ...base,
    properties: {
      ...base.properties,
      accessPolicies: [],
      enabledForDiskEncryption: true,
      softDeleteRetentionInDays: 7,
    },
  });
  assert.equal(made.properties.enabledForDiskEncryption, true);
  assert.equal(made.properties.softDeleteRetentionInDays, 7);
  assert.equal(made.properties.enableSoftDelete, true);
  assert.match(made.properties.vaultUri ?? '', /^https:\/\/conf-life\./);
  assert.equal((await vaults.vaults.get(group, 'conf-life')).name, 'conf-life');
  assert.ok((await collect(vaults.vaults.listByResourceGroup(group))).some(({ name }) => name === 'conf-life'));
  assert.ok((await collect(vaults.vaults.listBySubscription())).some(({ name }) => name === 'conf-life'));
  const updated = await vaults.vaults.update(group, 'conf-life', { properties: { enabledForDiskEncryption: false } });
  assert.equal(updated.properties.enabledForDiskEncryption, false);
  const { nameAvailable } = await vaults.vaults.checkNameAvailability({
    name: 'conf-life',
    type: 'Microsoft.KeyVault/vaults',
  });
  assert.equal(nameAvailable, false);
});

test('access policies decide who reads', async () => {
  await vaults.vaults.createOrUpdate(group, 'conf-policy', {
    ...base,
    properties: { ...base.properties, accessPolicies: [], enableRbacAuthorization: false },
  });
  const client = new SecretClient(vaultUrl('conf-policy'), credential);
  await assert.rejects(client.setSecret('s', 'x'), fails(403, 'Forbidden'));
  await vaults.vaults.updateAccessPolicy(group, 'conf-policy', 'add', {
    properties: {
      accessPolicies: [
        { tenantId: admin.tenantId, objectId: admin.objectId, permissions: { secrets: ['set', 'list'] } },
      ],
    },
  });
  await client.setSecret('s', 'x');
  await assert.rejects(client.getSecret('s'), fails(403, 'Forbidden'));
  // REQ-324: without the permission nobody learns whether an object is there.
  const [there, notThere] = await Promise.all(
    ['s', 'z'].map((name) =>
      client.getSecret(name).catch((error: RestError) => error.message.replaceAll(`/${name}`, '')),
    ),
  );
  assert.equal(there, notThere);
});

test('a deleted vault: listed, its name taken, recovered with its contents, purged', async () => {
  const { secrets } = await makeVault('conf-deleted');
  await secrets.setSecret('kept', 'inside');
  await vaults.vaults.delete(group, 'conf-deleted');
  await assert.rejects(vaults.vaults.get(group, 'conf-deleted'), fails(404, 'ResourceNotFound'));
  assert.ok((await collect(vaults.vaults.listDeleted())).some(({ name }) => name === 'conf-deleted'));
  await assert.rejects(vaults.vaults.createOrUpdate(group, 'conf-deleted', base), fails(409));
  await vaults.vaults.createOrUpdate(group, 'conf-deleted', {
    ...base,
    properties: { ...base.properties, createMode: 'recover' },
  });
  // REQ-355: assignments on the vault itself are gone, those above it are not.
  assert.equal((await secrets.getSecret('kept')).value, 'inside');
  await vaults.vaults.delete(group, 'conf-deleted');
  await vaults.vaults.purgeDeleted('conf-deleted', location, { updateIntervalInMs: 50 });
  const again = await makeVault('conf-deleted');
  await assert.rejects(again.secrets.getSecret('kept'), fails(404, 'SecretNotFound'));
});

test('purge protection: never off again, and nobody purges early', async () => {
  const { secrets } = await makeVault('conf-protected', { enablePurgeProtection: true });
  await assert.rejects(
    vaults.vaults.update(group, 'conf-protected', { properties: { enablePurgeProtection: false } }),
    fails(400),
  );
  await secrets.setSecret('kept', 'x');
  const deleted = await (await secrets.beginDeleteSecret('kept', quick)).pollUntilDone();
  assert.equal(deleted.properties.recoveryLevel, 'Recoverable');
  await assert.rejects(secrets.purgeDeletedSecret('kept'), fails(403, 'Forbidden'));
});
