import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { KeyClient } from '@azure/keyvault-keys';
import { SecretClient } from '@azure/keyvault-secrets';
import { hasCode, run, SecretBytes } from '@kannuki/core';
import { parseObjectId } from '@kannuki/keyvault';
import { parseAzureAddress } from '@kannuki/keyvault/azure/address';
import { AzureVault } from '@kannuki/keyvault/azure/azure-vault';
import { openAzureVault } from '@kannuki/keyvault/azure/open-azure-vault';
import { ScratchFolder } from '@kannuki/keyvault/testing/scratch-vaults';
import { listenSilently } from '@kannuki/keyvault/testing/silent-listener';
import { type ConformanceSubject, vaultConformance } from '@kannuki/keyvault/testing/vault-conformance';
import { startProtocolServer } from './protocol-server.ts';

/** The driver for Azure against our own server: Azure's protocol, with tokens and TLS, spoken by Microsoft's packages. */
async function subject(): Promise<ConformanceSubject> {
  await using stack = new AsyncDisposableStack();
  const protocol = stack.use(await startProtocolServer());
  const silent = stack.use(await listenSilently());
  const folder = stack.use(await ScratchFolder.make());
  const { admin, agent, credential } = protocol;
  const secretFile = folder.file('secret');
  await writeFile(secretFile, admin.clientSecret, { mode: 0o600 });
  const open = async (uri: string, seconds = 15): Promise<AzureVault> => {
    const { host } = new URL(uri);
    const who = `tenant=${admin.tenantId}&client=${admin.clientId}&secret-file=${secretFile}`;
    const address = `azure+https://${host}/?${who}&authority=${admin.server}&ca=${admin.caFile}`;
    return stack.use(await AzureVault.open(parseAzureAddress(address), { totalTimeoutSeconds: seconds }));
  };
  const uri = await protocol.createVault('kv1');
  const vault = await open(uri);
  const closed = await open(await protocol.createVault('kv-closed', false));
  const keys = new KeyClient(uri, credential, { agent });
  const secrets = new SecretClient(uri, credential, { agent });
  const value = SecretBytes.take(Buffer.from('x'));
  const unreachable = await open(`https://kv1.vault.localhost:${silent.port}`, 0.5);
  const kept = stack.move();
  return {
    vault,
    createKek: async (name) => (await keys.createRsaKey(name, { keySize: 2048 })).id ?? '',
    disableKey: async (id) => {
      const { name = '', version = '' } = parseObjectId(id, 'keys') ?? {};
      await keys.updateKeyProperties(name, version ?? '', { enabled: false });
    },
    disableSecret: async (id) => {
      const { name = '', version = '' } = parseObjectId(id, 'secrets') ?? {};
      await secrets.updateSecretProperties(name, version ?? '', { enabled: false });
    },
    enableSecret: async (id) => {
      const { name = '', version = '' } = parseObjectId(id, 'secrets') ?? {};
      await secrets.updateSecretProperties(name, version ?? '', { enabled: true });
    },
    forbidden: {
      disableSecret: () => closed.disableSecret('secret'),
      keyInfo: () => closed.keyInfo(`${closed.vaultUri}keys/kek`),
      wrapKey: () => closed.wrapKey(`${closed.vaultUri}keys/kek/${'0'.repeat(32)}`, 'RSA-OAEP', value),
      unwrapKey: () => closed.unwrapKey(`${closed.vaultUri}keys/kek/${'0'.repeat(32)}`, 'RSA-OAEP', Buffer.alloc(256)),
      setSecret: () => closed.setSecret('secret', value, { contentType: null, tags: {} }),
      getSecret: () => closed.getSecret(`${closed.vaultUri}secrets/secret`),
    },
    unreachable,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

vaultConformance('the driver for Azure before our own server', subject, { algorithms: ['RSA-OAEP', 'RSA-OAEP-256'] });

test('the driver signs in with a certificate; one that nobody registered is refused', async () => {
  await using protocol = await startProtocolServer();
  await using folder = await ScratchFolder.make();
  const { admin, server } = protocol;
  const uri = await protocol.createVault('kv1');
  const [certificate, both] = [folder.file('certificate.pem'), folder.file('both.pem')];
  const subject = ['-subj', '/CN=driver', '-days', '2', '-out', certificate, '-keyout', folder.file('key.pem')];
  await run('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...subject]);
  const [pem, key] = await Promise.all([readFile(certificate, 'utf8'), readFile(folder.file('key.pem'), 'utf8')]);
  await writeFile(both, `${key}${pem}`, { mode: 0o600 });
  const who = `tenant=${admin.tenantId}&client=${admin.clientId}&certificate-file=${both}`;
  const address = `azure+https://${new URL(uri).host}/?${who}&authority=${admin.server}&ca=${admin.caFile}`;
  using value = SecretBytes.take(Buffer.from('value'));
  const set = async (): Promise<string> => {
    await using vault = await openAzureVault(address);
    return (await vault.setSecret('by-certificate', value, { contentType: null, tags: {} })).id;
  };
  await assert.rejects(set(), (error) => hasCode(error, 'KNK-KVT-0002'));
  await server.admin.call('ad-sp-add-certificate', { id: admin.clientId, certificate: pem });
  assert.match(await set(), /\/secrets\/by-certificate\/[0-9a-f]{32}$/);
});
