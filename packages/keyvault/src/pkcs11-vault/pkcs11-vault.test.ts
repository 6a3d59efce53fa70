import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { hasCode, SecretBytes } from '@kannuki/core';
import { openVault } from '../open-vault.ts';
import { ScratchFolder } from '../testing/scratch-vaults.ts';
import { makeSoftToken, softTokenPin } from '../testing/soft-token.ts';
import { type ConformanceSubject, vaultConformance } from '../testing/vault-conformance.ts';
import { parsePkcs11Address } from './address.ts';
import { openPkcs11Vault } from './open-pkcs11-vault.ts';

const isOnLocalDisk = (): boolean => false;

async function addressIn(folder: ScratchFolder): Promise<string> {
  const { modulePath, tokenLabel } = await makeSoftToken(folder);
  const [pin, directory] = [folder.file('pin'), folder.file('secrets')];
  await writeFile(pin, `${softTokenPin}\n`, { mode: 0o600 });
  await mkdir(directory, { recursive: true });
  const token = encodeURIComponent(tokenLabel);
  return `pkcs11:token=${token}?module-path=${modulePath}&pin-source=file:${pin}&secrets=${directory}`;
}

async function subject(): Promise<ConformanceSubject> {
  const folder = await ScratchFolder.make();
  const vault = await openPkcs11Vault(await addressIn(folder), { isOnLocalDisk, create: true });
  return {
    vault,
    createKek: async (name) => (await vault.createKek(name)).id,
    disableKey: (id) => vault.setKeyEnabled(id, false),
    disableSecret: (id) => vault.setSecretEnabled(id, false),
    enableSecret: (id) => vault.setSecretEnabled(id, true),
    [Symbol.asyncDispose]: async () => {
      await vault[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

vaultConformance('a PKCS #11 token (SoftHSM)', subject, {
  algorithms: ['RSA-OAEP'],
  without: {
    forbidden: 'who has the PIN may do everything',
    unreachable: 'it is a token and a folder, not a service',
  },
});

test('the folder is worth nothing without its token, and its keys are not in it', async () => {
  await using folder = await ScratchFolder.make();
  const address = await addressIn(folder);
  const drivers = { pkcs11: openPkcs11Vault };
  using value = SecretBytes.take(Buffer.from('CANARY'));
  let id = '';
  {
    await using vault = await openPkcs11Vault(address, { isOnLocalDisk, create: true });
    assert.equal((await vault.createKek('kek', 3072)).kind, 'RSA-HSM');
    ({ id } = await vault.setSecret('name', value, { contentType: null, tags: {} }));
  }
  {
    await using again = await openVault(address, { isOnLocalDisk, drivers });
    const stored = await again.getSecret(id);
    using read = stored.value;
    assert.ok(read.equals(value));
    assert.deepEqual(again.wrapAlgorithms, ['RSA-OAEP']);
    const { keyId, value: wrapped } = await again.wrapKey(`${again.vaultUri}keys/kek`, 'RSA-OAEP', value);
    using opened = await again.unwrapKey(keyId, 'RSA-OAEP', wrapped);
    assert.ok(opened.equals(value));
  }
  // Another token of the same label and PIN opens nothing.
  await using other = await ScratchFolder.make();
  await makeSoftToken(other);
  await assert.rejects(openVault(address, { isOnLocalDisk, drivers }), (error) => hasCode(error, 'KNK-KVT-0042'));
});

test('a folder on a disk of this machine is refused before anything is done', async () => {
  await using folder = await ScratchFolder.make();
  const address = await addressIn(folder);
  await assert.rejects(openPkcs11Vault(address, { isOnLocalDisk: () => true, create: true }), (error) =>
    hasCode(error, 'KNK-KVT-0016'),
  );
  await assert.rejects(openPkcs11Vault(address, { isOnLocalDisk }), (error) => hasCode(error, 'KNK-KVT-0013'));
  await chmod(folder.file('pin'), 0o644);
  await assert.rejects(openPkcs11Vault(address, { isOnLocalDisk, create: true }), (error) =>
    hasCode(error, 'KNK-KVT-0051'),
  );
  assert.deepEqual(await readdir(folder.file('secrets')), []);
  await assert.rejects(openVault(address, { isOnLocalDisk }), (error) => hasCode(error, 'KNK-KVT-0015'));
});

test('addresses of tokens are read wholly or refused, and never shown with what may be a PIN', () => {
  assert.deepEqual(
    parsePkcs11Address(
      'pkcs11:token=My%20token?module-path=/m.so&pin-source=file:/pin&secrets=/mnt/nfs/vault&vault=kv1',
    ),
    { tokenLabel: 'My token', modulePath: '/m.so', pinFile: '/pin', directory: '/mnt/nfs/vault', vaultName: 'kv1' },
  );
  const wrong = [
    'pkcs11:?module-path=/m&pin-source=/p&secrets=/d',
    'pkcs11:token=?module-path=/m&pin-source=/p&secrets=/d',
    'pkcs11:token=a;object=b?module-path=/m&pin-source=/p&secrets=/d',
    'pkcs11:token=%ff?module-path=/m&pin-source=/p&secrets=/d',
    `pkcs11:token=${'x'.repeat(33)}?module-path=/m&pin-source=/p&secrets=/d`,
    'pkcs11:token=a?module-path=m&pin-source=/p&secrets=/d',
    'pkcs11:token=a?module-path=/m&secrets=/d',
    'pkcs11:token=a?module-path=/m&pin-source=/p&secrets=/',
    'pkcs11:token=a?module-path=/m&pin-value=CANARY&secrets=/d',
    'pkcs11:token=a?module-path=/m&pin-source=/p&secrets=/d&secrets=/e',
    'pkcs11://host/token=a?module-path=/m&pin-source=/p&secrets=/d',
  ];
  for (const address of wrong) {
    assert.throws(
      () => parsePkcs11Address(address),
      (error) => hasCode(error, 'KNK-KVT-0015') && !inspect(error).includes('CANARY'),
      address,
    );
  }
});
