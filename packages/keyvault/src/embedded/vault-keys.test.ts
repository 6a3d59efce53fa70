import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { SecretBytes } from '@kannuki/core';
import type { KeyVersion } from '../service/model.ts';
import { day, digest, firstPage, keySpec, terms, vaultWithClock } from '../testing/object-specs.ts';
import { ScratchVault } from '../testing/scratch-vaults.ts';

const pkcs8 = { type: 'pkcs8', format: 'der' } as const;

describe('the life of a key', () => {
  it('changes what is said of it, never its material (REQ-331)', async () => {
    await using scratch = await vaultWithClock();
    const { keys, time } = scratch;
    const made = await keys.create('key', keySpec({ tags: { a: '1' } }), terms);
    time.now += 5000;
    const change = { enabled: false, notBefore: 1, expires: 4_000_000_000, operations: ['verify'], tags: { b: '2' } };
    const changed = await keys.update('key', made.version, change);
    assert.deepEqual(changed, { ...made, ...change, updated: made.updated + 5 });
    assert.deepEqual(await keys.get('key', null), changed);
    assert.deepEqual(await keys.update('key', null, { expires: null }), { ...changed, expires: null });
    for (const wrong of [{ operations: ['wrapKey'] }, { expires: 1 }, { tags: { '': 'x' } }]) {
      await assert.rejects(keys.update('key', null, wrong), { code: 'KNK-KVT-0022' });
    }
    assert.deepEqual(await keys.get('key', null), { ...changed, expires: null });
    await assert.rejects(keys.update('other', null, {}), { code: 'KNK-KVT-0003' });
    await assert.rejects(keys.update('key', '0'.repeat(32), {}), { code: 'KNK-KVT-0003' });
  });

  it('is deleted whole, holds its name, and comes back or is purged (REQ-333, REQ-334, REQ-351, REQ-352)', async () => {
    await using scratch = await vaultWithClock();
    const { keys, time, vault } = scratch;
    const versions = [await keys.create('Key', keySpec(), terms), await keys.create('key', keySpec(), terms)];
    const backup = await keys.backup('key');
    const protectedTerms = { ...terms, retentionDays: 7, purgeProtection: true };
    const deleted = await keys.delete('KEY', protectedTerms);
    const seconds = time.now / 1000;
    assert.deepEqual(deleted, { ...versions[1], deletedDate: seconds, scheduledPurgeDate: seconds + 7 * 86_400 });
    assert.deepEqual(await keys.getDeleted('key'), deleted);
    assert.deepEqual((await keys.listDeleted(firstPage)).items, [deleted]);
    assert.deepEqual((await keys.list(firstPage)).items, []);
    assert.deepEqual(vault.listKeys(), []);
    assert.deepEqual(vault.keyVersions('key'), []);
    const gone: readonly (() => Promise<unknown>)[] = [
      () => keys.get('key', null),
      () => keys.get('key', versions[0]?.version ?? ''),
      () => keys.versions('key', firstPage),
      () => keys.update('key', null, { enabled: true }),
      () => keys.delete('key', terms),
      () => keys.sign('key', null, 'ES256', digest),
      () => keys.backup('key'),
      () => keys.rotate('key', terms),
      () => keys.rotationPolicy('key'),
      () => keys.setRotationPolicy('key', { lifetimeActions: [], expiryTime: null }),
      () => vault.keyInfo(`${vault.vaultUri}keys/key`),
    ];
    for (const call of gone) await assert.rejects(call(), { code: 'KNK-KVT-0003' }, call.toString());
    const held: readonly (() => Promise<unknown>)[] = [
      () => keys.create('key', keySpec(), terms),
      () => keys.restore(backup),
      () => vault.createKey('key'),
      () => {
        const privateKey = SecretBytes.take(
          generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey.export(pkcs8),
        );
        return keys.import('key', { ...keySpec(), privateKey }, terms);
      },
    ];
    for (const call of held) await assert.rejects(call(), { code: 'KNK-KVT-0021' }, call.toString());
    await assert.rejects(keys.purge('key', protectedTerms), { code: 'KNK-KVT-0025' });
    assert.deepEqual(await keys.recover('key'), versions[1]);
    assert.deepEqual((await keys.versions('key', firstPage)).items, versions);
    for (const call of [() => keys.recover('key'), () => keys.purge('key', terms), () => keys.getDeleted('key')]) {
      await assert.rejects(call(), { code: 'KNK-KVT-0003' });
    }
    await keys.delete('key', terms);
    await keys.purge('key', terms);
    await assert.rejects(keys.getDeleted('key'), { code: 'KNK-KVT-0003' });
    const fresh = await keys.create('key', keySpec(), terms);
    assert.deepEqual((await keys.versions('key', firstPage)).items, [fresh]);
    await keys.delete('key', protectedTerms);
    time.now += 7 * day;
    await keys.purge('key', protectedTerms);
    await assert.rejects(keys.getDeleted('key'), { code: 'KNK-KVT-0003' });
    await assert.rejects(keys.delete('key', { ...terms, retentionDays: 6 }), { code: 'KNK-KVT-0022' });
  });

  it('ends by itself on its day (REQ-354)', async () => {
    await using scratch = await vaultWithClock();
    const { keys, vaults, time } = scratch;
    const value = SecretBytes.take(Buffer.from('value'));
    await scratch.vault.secrets.set('secret', { ...keySpec(), value, contentType: null });
    for (const name of ['early', 'late', 'live']) await keys.create(name, keySpec(), terms);
    await keys.delete('early', { ...terms, retentionDays: 7, purgeProtection: true });
    await scratch.vault.secrets.delete('secret', { ...terms, retentionDays: 7 });
    await keys.delete('late', terms);
    const names = async (now: number) => (await vaults.purgeDue(now)).done.map(({ name }) => name);
    assert.deepEqual(await names(time.now + 7 * day - 1), []);
    assert.deepEqual(await names(time.now + 7 * day), ['early', 'secret']);
    assert.deepEqual(await names(time.now + 7 * day), []);
    assert.deepEqual(
      (await keys.listDeleted(firstPage)).items.map(({ name }) => name),
      ['late'],
    );
    await keys.recover('late');
    assert.deepEqual(await names(time.now + 1000 * day), []);
  });

  it('is listed in pages, by name and by version (REQ-332)', async () => {
    await using scratch = await ScratchVault.make();
    const { keys } = scratch.vault;
    const names = ['b', 'A', 'c', 'D', 'e'];
    await Promise.all(names.map((name) => keys.create(name, keySpec(), terms)));
    const made: KeyVersion[] = [];
    for (let count = 0; count < 4; count += 1) made.push(await keys.create('e', keySpec(), terms));
    const collect = async (read: (after: string | null) => ReturnType<typeof keys.list>) => {
      const found: KeyVersion[][] = [];
      let after: string | null = null;
      do {
        const { items, next } = await read(after);
        found.push([...items]);
        after = next;
      } while (after !== null);
      return found;
    };
    const pages = await collect((after) => keys.list({ limit: 2, after }));
    assert.deepEqual(
      pages.map((items) => items.map(({ name }) => name)),
      [['A', 'b'], ['c', 'D'], ['e']],
    );
    assert.deepEqual(pages.at(-1)?.[0], made.at(-1));
    const versions = await collect((after) => keys.versions('E', { limit: 2, after }));
    assert.deepEqual(
      versions.map(({ length }) => length),
      [2, 2, 1],
    );
    assert.deepEqual(versions.flat().slice(1), made);
    for (const limit of [0, 26, 1.5]) await assert.rejects(keys.list({ limit, after: null }), { code: 'KNK-KVT-0022' });
    for (const after of ['', 'ä', '%', 'AAAA'])
      await assert.rejects(keys.list({ limit: 2, after }), { code: 'KNK-KVT-0022' });
    await assert.rejects(keys.versions('e', { limit: 2, after: 'YWJj' }), { code: 'KNK-KVT-0022' });
    await assert.rejects(keys.versions('none', firstPage), { code: 'KNK-KVT-0003' });
  });

  it('comes back from a backup with all versions, in its own installation only (REQ-343)', async () => {
    await using scratch = await vaultWithClock();
    await using foreign = await ScratchVault.make();
    const { keys, vault, vaults } = scratch;
    for (const tag of ['1', '2', '3'])
      await keys.create('Key', keySpec({ tags: { tag }, expires: 4_000_000_000 }), terms);
    await keys.update('key', null, { enabled: false });
    const policy = await keys.setRotationPolicy('key', { lifetimeActions: [], expiryTime: 'P90D' });
    const { items } = await keys.versions('key', firstPage);
    const { value: signature } = await keys.sign('key', items[0]?.version ?? '', 'ES256', digest);
    const backup = await keys.backup('key');
    await assert.rejects(keys.restore(backup), { code: 'KNK-KVT-0021' });
    const other = await vaults.createVault('kv-other');
    for (const target of [keys, other.keys]) {
      if (target === keys) {
        await keys.delete('key', terms);
        await keys.purge('key', terms);
      }
      assert.deepEqual(await target.restore(backup), items[2]);
      assert.deepEqual((await target.versions('key', firstPage)).items, items);
      assert.deepEqual(await target.rotationPolicy('key'), policy);
      assert.equal((await target.verify('key', items[0]?.version ?? '', 'ES256', digest, signature)).value, true);
      await target.sign('key', items[1]?.version ?? '', 'ES256', digest);
    }
    const damagedAt = (at: number): Uint8Array =>
      Uint8Array.from(backup, (byte, index) => (index === at ? byte ^ 1 : byte));
    for (let at = 0; at < backup.length; at += 37) {
      await assert.rejects(other.keys.restore(damagedAt(at)), { code: 'KNK-KVT-0029' }, `byte ${at}`);
    }
    const fresh = await vaults.createVault('kv-fresh');
    for (const wrong of [Buffer.alloc(0), backup.subarray(0, -1), Buffer.alloc(5000, 7)]) {
      await assert.rejects(fresh.keys.restore(wrong), { code: 'KNK-KVT-0029' });
    }
    await assert.rejects(fresh.secrets.restore(backup), { code: 'KNK-KVT-0029' }, 'a key is no secret');
    await assert.rejects(foreign.vault.keys.restore(backup), { code: 'KNK-KVT-0029' }, 'another installation');
    assert.deepEqual((await fresh.keys.list(firstPage)).items, []);
    await assert.rejects(vault.keys.backup('none'), { code: 'KNK-KVT-0003' });
  });
});
