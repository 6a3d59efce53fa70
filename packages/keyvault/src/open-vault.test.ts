import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { KannukiError } from '@kannuki/core';
import { AzureVault } from './azure/azure-vault.ts';
import { openAzureVault } from './azure/open-azure-vault.ts';
import { escrowPassphrase } from './escrow/escrow.ts';
import { generatePassphrase } from './escrow/passphrase.ts';
import { releasePassphrase } from './escrow/release.ts';
import { keyIdFor, openVault } from './open-vault.ts';
import { RemoteVault } from './remote/client.ts';
import { ScratchFolder, ScratchVault } from './testing/scratch-vaults.ts';

const isOnLocalDisk = (): boolean => false;

describe('opening a vault by its address', () => {
  it('opens an embedded vault in a directory and lets go of it', async () => {
    await using folder = await ScratchFolder.make();
    const url = `embedded://${folder.path}?vault=kv-lab`;
    using passphrase = generatePassphrase();
    let receipt: Awaited<ReturnType<typeof escrowPassphrase>>;
    {
      await using vault = await openVault(url, { isOnLocalDisk, create: true });
      assert.equal(vault.vaultUri, 'https://kv-lab.vault.localhost/');
      receipt = await escrowPassphrase(vault, { passphrase, secretName: 'a', kekId: null });
    }
    await using vault = await openVault(url, { isOnLocalDisk });
    using released = await releasePassphrase(vault, receipt);
    assert.ok(released.equals(passphrase));
  });

  it('makes none unless told to', async () => {
    await using folder = await ScratchFolder.make();
    await assert.rejects(openVault(`embedded://${folder.path}`, { isOnLocalDisk }), { code: 'KNK-KVT-0013' });
    assert.deepEqual(await readdir(folder.path), []);
    await using scratch = await ScratchVault.make();
    await scratch.vaults.close();
    const address = `embedded://${scratch.folder.path}`;
    await assert.rejects(openVault(`${address}?vault=other`, { isOnLocalDisk }), { code: 'KNK-KVT-0003' });
    await using vault = await openVault(`${address}?vault=kv-test`, { isOnLocalDisk });
    assert.equal(vault.vaultUri, scratch.vault.vaultUri, 'a refused address does not keep the database');
  });

  it('refuses a directory on a disk of this machine, with a finding', async () => {
    await using folder = await ScratchFolder.make();
    const asked: string[] = [];
    const onDisk = (directory: string): boolean => {
      asked.push(directory);
      return true;
    };
    await assert.rejects(openVault(`embedded://${folder.path}`, { isOnLocalDisk: onDisk, create: true }), (error) => {
      assert.ok(error instanceof KannukiError);
      assert.equal(error.code, 'KNK-KVT-0016');
      assert.equal(error.exitCode, 10);
      assert.deepEqual(
        error.findings.map(({ rule, subject }) => [rule, subject]),
        [['REQ-061', folder.path]],
      );
      return true;
    });
    assert.deepEqual(asked, [folder.path]);
    assert.deepEqual(await readdir(folder.path), []);
  });

  it('refuses other addresses', async () => {
    const wrong = [
      '',
      'kv1',
      'file:///tmp/x',
      'http://kv1.example/',
      'embedded://host/tmp',
      'embedded:///',
      'embedded:',
      'https://user:CANARY@kv1.example/',
      'https://kv1.example/',
      'embedded:///tmp/%zz',
      'openbao+https://bao.example/',
      'vault+https://bao.example/?token-file=relative',
      'azure+https://kv1.example/',
      'https://kv1.vault.azure.net/',
    ];
    for (const url of wrong) {
      await assert.rejects(openVault(url, { isOnLocalDisk }), (error) => {
        assert.ok(error instanceof KannukiError, url);
        assert.equal(error.code, 'KNK-KVT-0015', url);
        assert.doesNotMatch(error.message, /CANARY/);
        return true;
      });
    }
  });

  it('takes the driver that the address names', async () => {
    await using bao = await openVault('openbao+https://bao.example:8200/?token-file=/run/token', { isOnLocalDisk });
    assert.equal(bao.vaultUri, 'https://bao.example:8200/');
    assert.deepEqual(bao.wrapAlgorithms, ['RSA-OAEP-256']);
    const drivers = { azure: openAzureVault };
    for (const address of [
      'https://kv1.vault.azure.net/',
      'azure+https://kv1.vault.azure.net/?managed-identity=system',
    ]) {
      await using azure = await openVault(address, { isOnLocalDisk, drivers });
      assert.equal(azure.vaultUri, 'https://kv1.vault.azure.net/');
      assert.ok(azure instanceof AzureVault);
    }
    // A VM that has joined a server takes every https vault through it, whatever the vault is called.
    const connection = { serverUrl: 'https://server.example', authority: '', certificate: '', privateKey: '' };
    await using behind = await openVault('https://kv1.vault.azure.net/', { isOnLocalDisk, drivers, connection });
    assert.ok(behind instanceof RemoteVault);
  });

  it('takes a KEK by name or by id', () => {
    assert.equal(keyIdFor('https://kv1.vault.localhost:8443/', 'kek'), 'https://kv1.vault.localhost:8443/keys/kek');
    assert.equal(keyIdFor('https://kv1.vault.localhost/', 'https://kv2.x/keys/k/1'), 'https://kv2.x/keys/k/1');
  });
});
