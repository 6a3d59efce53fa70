import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SecretBytes } from '@kannuki/core';
import type { SecretWithValue } from '../service/model.ts';
import type { NewSecretSpec } from '../service/vault-objects.ts';
import { ScratchVault } from '../testing/scratch-vaults.ts';

const terms = { retentionDays: 7, purgeProtection: false, premium: false };
const page = { limit: 25, after: null };

function spec(text: string, change: Partial<NewSecretSpec> = {}): NewSecretSpec {
  const value = SecretBytes.take(Buffer.from(text));
  return { value, enabled: true, notBefore: null, expires: null, contentType: null, tags: {}, ...change };
}

function textOf({ value }: SecretWithValue): string {
  using bytes = value;
  return Buffer.from(bytes.bytes).toString();
}

describe('secrets of the data plane', () => {
  it('keep each version with what is said of it (REQ-345 to REQ-347)', async () => {
    const time = { now: Date.parse('2026-01-01T00:00:00Z') };
    await using scratch = await ScratchVault.make('kv-test', { clock: () => time.now });
    const { secrets } = scratch.vault;
    const first = await secrets.set('Name', spec('one', { contentType: 'text/plain', tags: { a: 'b' } }));
    const second = await secrets.set('name', spec('two', { notBefore: 4_000_000_000 }));
    const { value, ...info } = await secrets.get('NAME', first.version);
    assert.equal(textOf({ ...info, value }), 'one');
    assert.deepEqual(info, first);
    assert.equal(first.created, time.now / 1000);
    assert.equal(textOf(await secrets.get('name', null)), 'two', 'also before nbf');
    await secrets.update('name', null, { notBefore: null, expires: 1 });
    assert.equal(textOf(await secrets.get('name', null)), 'two', 'also after exp');
    time.now += 3000;
    const change = { enabled: false, expires: null, contentType: 'x', tags: { c: 'd' } };
    const changed = await secrets.update('name', null, change);
    assert.deepEqual(changed, { ...second, ...change, notBefore: null, updated: second.updated + 3 });
    await assert.rejects(secrets.get('name', null), { code: 'KNK-KVT-0004' });
    assert.deepEqual((await secrets.versions('name', page)).items, [first, changed]);
    assert.deepEqual((await secrets.list(page)).items, [changed]);
  });

  it('are refused when they are too large or not well formed, and change nothing (REQ-326, REQ-345)', async () => {
    await using scratch = await ScratchVault.make();
    const { secrets } = scratch.vault;
    const largest = 'x'.repeat(25 * 1024);
    assert.equal(textOf(await secrets.get('large', (await secrets.set('large', spec(largest))).version)), largest);
    const tags = Object.fromEntries(Array.from({ length: 16 }, (_, index) => [`tag${index}`, '']));
    const wrong: readonly [string, NewSecretSpec][] = [
      ['large', spec(`${largest}x`)],
      ['large', spec('')],
      ['large', spec('', { value: SecretBytes.take(Buffer.of(0xff)) })],
      ['large', spec('x', { contentType: 'x'.repeat(256) })],
      ['large', spec('x', { tags })],
      ['large', spec('x', { tags: { name: 'x'.repeat(513) } })],
      ['large', spec('x', { notBefore: 5, expires: 4 })],
      ['large', spec('x', { expires: Number.NaN })],
      ['a_b', spec('x')],
    ];
    for (const [name, refused] of wrong) await assert.rejects(secrets.set(name, refused), { code: 'KNK-KVT-0022' });
    await assert.rejects(secrets.update('large', null, { contentType: 'x'.repeat(256) }), { code: 'KNK-KVT-0022' });
    assert.equal((await secrets.versions('large', page)).items.length, 1);
    await assert.rejects(secrets.get('none', null), { code: 'KNK-KVT-0003' });
  });

  it('are deleted, held, recovered, purged, backed up and restored as keys are (REQ-349, REQ-351)', async () => {
    await using scratch = await ScratchVault.make();
    const { secrets } = scratch.vault;
    const made = [await secrets.set('name', spec('one')), await secrets.set('name', spec('two', { tags: { a: 'b' } }))];
    const backup = await secrets.backup('name');
    const deleted = await secrets.delete('name', terms);
    assert.deepEqual((await secrets.listDeleted(page)).items, [deleted]);
    assert.deepEqual(await secrets.getDeleted('NAME'), deleted);
    const held = [
      () => secrets.set('name', spec('x')),
      () => secrets.restore(backup),
      () => scratch.vault.setSecret('name', SecretBytes.take(Buffer.of(65)), { contentType: null, tags: {} }),
    ];
    for (const call of held) await assert.rejects(call(), { code: 'KNK-KVT-0021' });
    await assert.rejects(secrets.get('name', null), { code: 'KNK-KVT-0003' });
    await assert.rejects(secrets.purge('name', { ...terms, purgeProtection: true }), { code: 'KNK-KVT-0025' });
    assert.deepEqual(await secrets.recover('name'), made[1]);
    await assert.rejects(secrets.restore(backup), { code: 'KNK-KVT-0021' });
    await secrets.delete('name', terms);
    await secrets.purge('name', terms);
    await assert.rejects(secrets.recover('name'), { code: 'KNK-KVT-0003' });
    assert.deepEqual(await secrets.restore(backup), made[1]);
    assert.equal(textOf(await secrets.get('name', made[0]?.version ?? '')), 'one');
    assert.equal(textOf(await secrets.get('name', null)), 'two');
  });

  it('are backed up with up to 500 versions (REQ-343)', async () => {
    await using scratch = await ScratchVault.make();
    const { secrets } = scratch.vault;
    await Promise.all(Array.from({ length: 500 }, (_, index) => secrets.set('many', spec(`version ${index}`))));
    const backup = await secrets.backup('many');
    const other = await scratch.vaults.createVault('kv-other');
    await other.secrets.restore(backup);
    assert.equal(textOf(await other.secrets.get('many', null)), 'version 499');
    await secrets.set('many', spec('one too many'));
    await assert.rejects(secrets.backup('many'), { code: 'KNK-KVT-0022' });
  });
});
