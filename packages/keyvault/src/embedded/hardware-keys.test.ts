import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SecretBytes } from '@kannuki/core';
import { day, digest, keySpec, rsa2048, terms } from '../testing/object-specs.ts';
import { ScratchVault } from '../testing/scratch-vaults.ts';
import { SoftwareModule } from '../testing/software-module.ts';
import { EmbeddedVaults } from './embedded-vaults.ts';

describe('HSM-protected keys', () => {
  const shape = rsa2048;
  const premium = { ...terms, premium: true };

  it('live in the module, do what it can, and go with their purge', async () => {
    await using keyModule = new SoftwareModule();
    await using scratch = await ScratchVault.make('kv-test', { keyModule });
    const { keys } = scratch.vault;
    const hardware = keySpec({ shape, hardware: true });
    const key = await keys.create('kek', hardware, premium);
    assert.equal(key.kind, 'RSA-HSM');
    using plain = SecretBytes.random(32);
    const { value } = await keys.encrypt('kek', null, 'wrapKey', 'RSA-OAEP', plain);
    const { value: back } = await keys.decrypt('kek', null, 'unwrapKey', 'RSA-OAEP', value);
    using unwrapped = back;
    assert.ok(unwrapped.equals(plain));
    const { value: signature } = await keys.sign('kek', null, 'RS256', digest);
    assert.equal((await keys.verify('kek', null, 'RS256', digest, signature)).value, true);
    assert.equal((await keys.rotate('kek', premium)).kind, 'RSA-HSM');
    const impossible: Readonly<Record<string, () => Promise<unknown>>> = {
      'a standard vault': () => keys.create('other', hardware, terms),
      'a rotation in a standard vault': () => keys.rotate('kek', terms),
      'a shape the module lacks': () => keys.create('other', keySpec({ hardware: true }), premium),
      'an algorithm the module lacks': () => keys.decrypt('kek', null, 'decrypt', 'RSA-OAEP-256', value),
      'a value that nobody could open': () => keys.encrypt('kek', null, 'encrypt', 'RSA-OAEP-256', plain),
      'a signature the module lacks': () => keys.sign('kek', null, 'PS256', digest),
      'a backup': () => keys.backup('kek'),
    };
    for (const [what, call] of Object.entries(impossible)) await assert.rejects(call(), { code: 'KNK-KVT-0026' }, what);
    assert.equal(keyModule.keys.size, 2);
    await keys.delete('kek', premium);
    await assert.rejects(keys.create('kek', hardware, premium), { code: 'KNK-KVT-0021' });
    assert.equal(keyModule.keys.size, 2);
    await keys.purge('kek', premium);
    assert.equal(keyModule.keys.size, 0);
    await keys.create('again', hardware, premium);
    await scratch.vaults.purgeVault('kv-test');
    assert.equal(keyModule.keys.size, 0);
  });

  it('stay due where the module is missing, and nothing else waits for them', async () => {
    await using keyModule = new SoftwareModule();
    const time = { now: Date.parse('2026-01-01T00:00:00Z') };
    await using scratch = await ScratchVault.make('kv-test', { keyModule, clock: () => time.now });
    const rotate = { action: 'Rotate', timeAfterCreate: 'P10D', timeBeforeExpiry: null } as const;
    for (const change of [{ hardware: true, shape: rsa2048 }, {}]) {
      const name = change.hardware === true ? 'in-hsm' : 'software';
      await scratch.vault.keys.create(name, keySpec(change), premium);
      await scratch.vault.keys.setRotationPolicy(name, { lifetimeActions: [rotate], expiryTime: null });
    }
    await scratch.vault.keys.delete('in-hsm', premium);
    await scratch.vault.keys.recover('in-hsm');
    await scratch.vaults.close();
    time.now += 10 * day;
    await using vaults = await EmbeddedVaults.open({ ...scratch.folder.vaultFiles(), clock: () => time.now });
    const { done, failures } = await vaults.runRotations(time.now);
    assert.deepEqual(
      done.map(({ name }) => name),
      ['software'],
    );
    assert.deepEqual(
      failures.map(({ name, error }) => [name, (error as { code?: string }).code]),
      [['in-hsm', 'KNK-KVT-0026']],
    );
    const { keys } = vaults.vault('kv-test');
    await keys.delete('in-hsm', premium);
    await assert.rejects(keys.purge('in-hsm', premium), { code: 'KNK-KVT-0026' });
    assert.equal((await vaults.purgeDue(time.now + 100 * day)).failures.length, 1);
    assert.equal((await keys.getDeleted('in-hsm')).name, 'in-hsm');
  });

  it('are not possible without a module', async () => {
    await using scratch = await ScratchVault.make();
    const made = scratch.vault.keys.create('kek', keySpec({ shape, hardware: true }), premium);
    await assert.rejects(made, { code: 'KNK-KVT-0026' });
  });
});
