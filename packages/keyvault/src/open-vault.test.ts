import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { KannukiError } from '@kannuki/core';
import { escrowPassphrase } from './escrow/escrow.ts';
import { generatePassphrase } from './escrow/passphrase.ts';
import { releasePassphrase } from './escrow/release.ts';
import { keyIdFor, openVault } from './open-vault.ts';
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
      'https://user:secret@kv1.example/',
      'https://kv1.example/',
      'embedded:///tmp/%zz',
    ];
    for (const url of wrong) {
      await assert.rejects(openVault(url, { isOnLocalDisk }), (error) => {
        assert.ok(error instanceof KannukiError, url);
        assert.equal(error.code, 'KNK-KVT-0015', url);
        assert.doesNotMatch(error.message, /secret/);
        return true;
      });
    }
  });

  it('takes a KEK by name or by id', () => {
    assert.equal(keyIdFor('https://kv1.vault.localhost:8443/', 'kek'), 'https://kv1.vault.localhost:8443/keys/kek');
    assert.equal(keyIdFor('https://kv1.vault.localhost/', 'https://kv2.x/keys/k/1'), 'https://kv2.x/keys/k/1');
  });
});
