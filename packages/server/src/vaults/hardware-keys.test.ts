import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import type { LookupFunction } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ClientSecretCredential } from '@azure/identity';
import { KeyClient, type KeyClientOptions } from '@azure/keyvault-keys';
import { type EscrowReceipt, escrowPassphrase, generatePassphrase, RemoteVault } from '@kannuki/keyvault';
import { ScratchFolder } from '@kannuki/keyvault/testing/scratch-vaults';
import { makeSoftToken, softHsmModule, softTokenPin } from '@kannuki/keyvault/testing/soft-token';
import { AzureClient } from '../testing/azure-client.ts';
import { TestAgent } from '../testing/test-agent.ts';
import { TestServer } from '../testing/test-server.ts';

let folder: ScratchFolder;
let config: Readonly<Record<string, unknown>>;
before(async () => {
  folder = await ScratchFolder.make();
  const { tokenLabel } = await makeSoftToken(folder);
  const pinFile = folder.file('pin');
  await writeFile(pinFile, `${softTokenPin}\n`, { mode: 0o600 });
  config = { pkcs11: { module: softHsmModule, tokenLabel, pinFile } };
});
after(() => folder[Symbol.asyncDispose]());

const place = { resourceGroup: 'rg', location: null, enabledForDiskEncryption: true } as const;

/** SoftHSM keeps each object in a file: two for a key pair, and one for the token. */
async function objectsInToken(): Promise<number> {
  const names = await readdir(folder.file('tokens'), { recursive: true });
  return names.filter((name) => name.endsWith('.object') && !name.endsWith('token.object')).length;
}

async function administratorOf(server: TestServer): Promise<{ azure: AzureClient; keys: KeyClient; agent: Agent }> {
  const azure = await AzureClient.administrator(server);
  const { admin, authority } = azure;
  const credential = new ClientSecretCredential(admin.tenantId, admin.clientId, admin.clientSecret, {
    authorityHost: server.url,
    disableInstanceDiscovery: true,
    tlsOptions: { ca: authority },
  });
  const lookup: LookupFunction = (_name, options, done) =>
    options.all === true ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4);
  const agent = new Agent({ ca: authority, lookup });
  const policy: NonNullable<KeyClientOptions['additionalPolicies']>[number]['policy'] = {
    name: 'findThisMachine',
    sendRequest: (request, next) => next(Object.assign(request, { agent })),
  };
  const additionalPolicies = [{ policy, position: 'perCall' as const }];
  return {
    azure,
    agent,
    keys: new KeyClient(`https://kvp.${admin.vaultDnsSuffix}`, credential, { additionalPolicies }),
  };
}

/** A premium vault `kvp` that goes by roles, and a standard one. */
async function makeVaults({ arm }: { readonly arm: AzureClient }): Promise<void> {
  assert.equal((await arm.arm('PUT', '/resourceGroups/rg', { location: 'local' })).status, 201);
  for (const [name, sku] of [
    ['kvp', 'premium'],
    ['kvs', 'standard'],
  ]) {
    const properties = {
      tenantId: arm.admin.tenantId,
      sku: { family: 'A', name: sku },
      enableRbacAuthorization: true,
      enabledForDiskEncryption: true,
    };
    const path = `/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/${name}`;
    assert.equal((await arm.arm('PUT', path, { location: 'local', properties })).status, 201);
  }
}

test('keys of the token: made, used, rotated, purged by the official client; seal, unseal and restart in between', async () => {
  // The root key is sealed in the same token.
  await using server = await TestServer.start({ ...config, vault: { rootKey: 'pkcs11' } });
  const { azure, keys, agent } = await administratorOf(server);
  await makeVaults({ arm: azure });
  const before = await objectsInToken();

  const made = await keys.createRsaKey('kek', { keySize: 2048, hsm: true });
  assert.equal(made.keyType, 'RSA-HSM');
  assert.equal(made.key?.d, undefined);
  const signer = await keys.createEcKey('sig', { curve: 'P-256', hsm: true });
  assert.equal(signer.keyType, 'EC-HSM');
  assert.equal(await objectsInToken(), before + 4);

  const kek = keys.getCryptographyClient('kek');
  const text = randomBytes(172);
  const { result: wrapped } = await kek.wrapKey('RSA-OAEP', text);
  const unwraps = async (): Promise<void> => {
    // By version: what was wrapped before a rotation is unwrapped after it.
    const client = keys.getCryptographyClient('kek', { keyVersion: made.properties.version ?? '' });
    assert.deepEqual(Buffer.from((await client.unwrapKey('RSA-OAEP', wrapped)).result), text);
  };
  await unwraps();

  // SoftHSM does OAEP with SHA-1 only: refused when it is wrapped, not found out when it cannot be unwrapped.
  for (const verb of ['wrapkey', 'unwrapkey', 'encrypt', 'decrypt']) {
    const body = { alg: 'RSA-OAEP-256', value: Buffer.from(wrapped).toString('base64url') };
    const refused = await azure.vault('kvp', 'POST', `/keys/kek/${verb}`, body);
    assert.deepEqual([refused.status, refused.code], [400, 'BadParameter'], verb);
    assert.match(refused.text, /RSA-OAEP-256 is not possible here: the HSM that holds the key cannot do it/);
  }
  const spoilt = Buffer.from(wrapped).fill(7, 10, 20).toString('base64url');
  const wrong = await azure.vault('kvp', 'POST', '/keys/kek/unwrapkey', { alg: 'RSA-OAEP', value: spoilt });
  assert.deepEqual([wrong.status, wrong.code], [400, 'BadParameter']);

  const digest = createHash('sha256').update('signed').digest();
  for (const [name, algorithm] of [
    ['sig', 'ES256'],
    ['kek', 'RS256'],
    ['kek', 'PS256'],
  ] as const) {
    const body = { alg: algorithm, value: digest.toString('base64url') };
    const { json } = await azure.vault('kvp', 'POST', `/keys/${name}/sign`, body);
    const check = { alg: algorithm, digest: digest.toString('base64url'), value: json.value };
    assert.equal((await azure.vault('kvp', 'POST', `/keys/${name}/verify`, check)).json.value, true, algorithm);
    check.digest = createHash('sha256').update('other').digest('base64url');
    assert.equal((await azure.vault('kvp', 'POST', `/keys/${name}/verify`, check)).json.value, false, algorithm);
  }

  // What never leaves the token is neither backed up nor taken in.
  await assert.rejects(keys.backupKey('kek'), { statusCode: 400 });
  const rotated = await keys.rotateKey('kek');
  assert.equal(rotated.keyType, 'RSA-HSM');
  assert.notEqual(rotated.properties.version, made.properties.version);
  assert.equal(await objectsInToken(), before + 6);
  await unwraps();

  await server.admin.call('server-seal', {});
  const body = { alg: 'RSA-OAEP', value: Buffer.from(wrapped).toString('base64url') };
  const sealed = await azure.vault('kvp', 'POST', `/keys/kek/${made.properties.version}/unwrapkey`, body);
  assert.equal(sealed.status, 503);
  await server.admin.callWithSecret('server-unseal', {}, undefined);
  await unwraps();
  await server.stop();
  await server.start();
  await unwraps();

  await (await keys.beginDeleteKey('kek', { intervalInMs: 1 })).pollUntilDone();
  await assert.rejects(unwraps(), { statusCode: 404 });
  await (await keys.beginRecoverDeletedKey('kek', { intervalInMs: 1 })).pollUntilDone();
  await unwraps();
  await (await keys.beginDeleteKey('kek', { intervalInMs: 1 })).pollUntilDone();
  assert.equal(await objectsInToken(), before + 6, 'deleted softly');
  await keys.purgeDeletedKey('kek');
  assert.equal(await objectsInToken(), before + 2, 'both versions are gone from the token');
  // A vault that is purged takes its keys out of the token too.
  await azure.arm('DELETE', '/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kvp');
  const purge = '/providers/Microsoft.KeyVault/locations/local/deletedVaults/kvp/purge';
  const operation = await azure.finished(await azure.arm('POST', purge));
  assert.equal(operation.status, 'Succeeded');
  assert.equal(await objectsInToken(), before);
  agent.destroy();
  assert.deepEqual(server.failures, []);
});

test('only where the vault is premium, and a premium vault only where there is a token', async () => {
  await using server = await TestServer.start(config);
  const azure = await AzureClient.administrator(server);
  await makeVaults({ arm: azure });
  for (const kty of ['RSA-HSM', 'EC-HSM']) {
    const refused = await azure.vault('kvs', 'POST', '/keys/k/create', { kty });
    assert.deepEqual([refused.status, refused.code], [400, 'BadParameter'], kty);
    assert.match(refused.text, /premium/);
  }
  const hardware = { vaultName: 'kvs', name: 'k', kind: 'RSA-HSM', bits: 2048 } as const;
  await assert.rejects(server.admin.call('keyvault-key-create', hardware), { code: 'KNK-KVT-0026' });
  assert.equal((await azure.vault('kvp', 'POST', '/keys/k/create', { kty: 'RSA' })).status, 200, 'software keys too');

  await using without = await TestServer.start();
  const premium = { ...place, name: 'kvp', sku: 'premium' } as const;
  await assert.rejects(without.admin.call('keyvault-create', premium), { code: 'KNK-ARM-0020' });
});

test('a token that has lost a key is told to the operator, and is no "not found" to the client', async () => {
  await using server = await TestServer.start(config);
  const azure = await AzureClient.administrator(server);
  await makeVaults({ arm: azure });
  const known = new Set(await readdir(folder.file('tokens'), { recursive: true }));
  assert.equal((await azure.vault('kvp', 'POST', '/keys/lost/create', { kty: 'RSA-HSM' })).status, 200);
  for (const name of await readdir(folder.file('tokens'), { recursive: true })) {
    if (name.endsWith('.object') && !known.has(name)) await rm(join(folder.file('tokens'), name));
  }
  const value = Buffer.alloc(32).toString('base64url');
  const answer = await azure.vault('kvp', 'POST', '/keys/lost/sign', { alg: 'RS256', value });
  assert.deepEqual([answer.status, answer.code], [503, 'ServiceUnavailable']);
  const [failure] = server.failures as { error: { code: string } }[];
  assert.equal(failure?.error.code, 'KNK-KVT-0042');
});

test('a token that is away: no server starts in the place of one that could use its keys', async () => {
  const label = { ...(config.pkcs11 as object), tokenLabel: 'not there' };
  await assert.rejects(TestServer.start({ pkcs11: label }), { code: 'KNK-KVT-0042' });
  await using server = await TestServer.start(config);
  await server.admin.call('keyvault-create', { ...place, name: 'kvp', sku: 'premium' });
});

test('a KEK of the kind RSA-HSM wraps the passphrases of a VM, and releases them at its boot (REQ-068)', async () => {
  await using server = await TestServer.start({
    ...config,
    images: [{ urn: 'Debian:debian-12:12:latest', volumes: 'os-and-data', reason: 'built by the test' }],
  });
  const { token } = await server.makeVm('vm1');
  await server.admin.call('keyvault-create', { ...place, name: 'kvp', sku: 'premium' });
  const made = await server.admin.call('keyvault-key-create', {
    vaultName: 'kvp',
    name: 'kek',
    kind: 'RSA-HSM',
    bits: 2048,
  });
  const { kid: kekId, kty } = (made as { key: { kid: string; kty: string } }).key;
  assert.equal(kty, 'RSA-HSM');
  const agent = await TestAgent.join(server, token);
  await server.admin.call('vm-encryption-enable', {
    resourceGroup: 'rg',
    name: 'vm1',
    vaultName: 'kvp',
    kek: 'kek',
    kekVaultName: null,
    volumeType: 'DATA',
    force: false,
    stopServices: false,
  });
  const vault = new RemoteVault({
    connection: {
      serverUrl: server.url,
      authority: agent.authority,
      certificate: agent.identity?.certificate ?? '',
      privateKey: agent.identity?.key ?? '',
    },
    vaultName: 'kvp',
    vaultUri: 'https://kvp.vault.localhost/',
  });
  using passphrase = generatePassphrase();
  const receipt: EscrowReceipt = await escrowPassphrase(vault, { passphrase, secretName: 'os', kekId });
  assert.equal(receipt.contentType, 'Wrapped BEK');
  await server.admin.call('vm-restart', { resourceGroup: 'rg', name: 'vm1' });
  const volume = server.host.starts.at(-1)?.options.keyVolume;
  assert.ok(
    Buffer.from(volume?.bytes ?? []).includes(Buffer.from(passphrase.bytes)),
    'the key volume holds the passphrase',
  );
});
