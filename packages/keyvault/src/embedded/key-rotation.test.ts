import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { day, firstPage, keySpec, rsa2048, terms, vaultWithClock } from '../testing/object-specs.ts';
import { ScratchVault } from '../testing/scratch-vaults.ts';
import { SoftwareModule } from '../testing/software-module.ts';

describe('rotation (REQ-339 to REQ-341)', () => {
  it('makes a new version of the same kind, and its expiry by the policy', async () => {
    await using scratch = await vaultWithClock();
    const { keys, time } = scratch;
    const first = await keys.create('key', keySpec({ operations: ['sign'], tags: { a: 'b' } }), terms);
    const second = await keys.rotate('key', terms);
    const { publicKey, version, ...same } = first;
    assert.deepEqual({ ...second, publicKey, version }, { ...same, publicKey, version });
    assert.notDeepEqual(second.publicKey, publicKey);
    const created = time.now / 1000;
    const notify = { action: 'Notify', timeAfterCreate: null, timeBeforeExpiry: 'P30D' } as const;
    assert.deepEqual(await keys.rotationPolicy('key'), {
      lifetimeActions: [notify],
      expiryTime: null,
      created,
      updated: created,
    });
    time.now += 10_000;
    const lifetimeActions = [{ action: 'Rotate', timeAfterCreate: 'P30D', timeBeforeExpiry: null } as const, notify];
    const policy = { lifetimeActions, expiryTime: 'P60D', created: created + 10, updated: created + 10 };
    assert.deepEqual(await keys.setRotationPolicy('key', { lifetimeActions, expiryTime: 'P60D' }), policy);
    assert.deepEqual(await keys.rotationPolicy('key'), policy);
    assert.equal((await keys.rotate('key', terms)).expires, created + 10 + 60 * 86_400);
    await assert.rejects(keys.setRotationPolicy('key', { lifetimeActions, expiryTime: 'P20D' }), {
      code: 'KNK-KVT-0022',
    });
    assert.deepEqual(await keys.rotationPolicy('key'), policy);
    await keys.update('key', null, { enabled: false });
    await assert.rejects(keys.rotate('key', terms), { code: 'KNK-KVT-0004' });
  });

  it('happens when it is due, once, and tells what becomes of keys', async () => {
    await using scratch = await vaultWithClock();
    const { keys, vaults, time } = scratch;
    const start = time.now;
    await keys.create('turning', keySpec(), terms);
    const rotate = { action: 'Rotate', timeAfterCreate: 'P10D', timeBeforeExpiry: null } as const;
    await keys.setRotationPolicy('turning', { lifetimeActions: [rotate], expiryTime: 'P60D' });
    const ending = await keys.create('ending', keySpec({ expires: start / 1000 + 40 * 86_400 }), terms);
    await keys.create('lasting', keySpec(), terms);
    await keys.create('deleted', keySpec({ expires: start / 1000 + 40 * 86_400 }), terms);
    await keys.delete('deleted', terms);
    const run = async (days: number, served?: () => boolean): Promise<readonly string[]> => {
      time.now = start + days * day;
      const { done, failures } = await vaults.runRotations(time.now, served);
      assert.deepEqual(failures, []);
      return done.map(({ kind, name }) => `${kind} ${name}`);
    };
    assert.deepEqual(await run(9), []);
    assert.deepEqual(await run(10, () => false), []);
    assert.deepEqual(await run(10), ['KeyNewVersionCreated turning', 'KeyNearExpiry ending']);
    assert.deepEqual(await run(10), []);
    assert.equal((await keys.versions('turning', firstPage)).items.length, 2);
    assert.equal((await keys.get('turning', null)).expires, start / 1000 + 70 * 86_400);
    assert.deepEqual(await run(19), []);
    await keys.update('turning', null, { enabled: false });
    assert.deepEqual(await run(21), [], 'a disabled key does not turn');
    await keys.update('turning', null, { enabled: true });
    assert.deepEqual(await run(22), ['KeyNewVersionCreated turning']);
    await keys.update('ending', null, { tags: { a: 'b' } });
    await keys.delete('turning', terms);
    assert.deepEqual(await run(41), ['KeyExpired ending']);
    assert.deepEqual(await run(1000), []);
    assert.equal((await keys.get('ending', null)).version, ending.version);
  });

  it('tells of what is due until it is heard, and of a key whose rotation fails not again', async () => {
    await using keyModule = new SoftwareModule();
    const time = { now: Date.parse('2026-01-01T00:00:00Z') };
    await using scratch = await ScratchVault.make('kv-test', { keyModule, clock: () => time.now });
    const { vaults } = scratch;
    const { keys } = scratch.vault;
    const start = time.now;
    const spec = keySpec({ shape: rsa2048, hardware: true, expires: start / 1000 + 60 * 86_400 });
    await keys.create('turning', spec, { ...terms, premium: true });
    const rotate = { action: 'Rotate', timeAfterCreate: 'P40D', timeBeforeExpiry: null } as const;
    await keys.setRotationPolicy('turning', { lifetimeActions: [rotate], expiryTime: 'P60D' });
    const heard: string[] = [];
    let isDeaf = true;
    const run = async (days: number): Promise<number> => {
      time.now = start + days * day;
      const { failures } = await vaults.runRotations(time.now, undefined, async ({ kind }) => {
        if (isDeaf) throw new Error('nobody listens');
        heard.push(kind);
      });
      return failures.length;
    };
    assert.equal(await run(45), 1);
    assert.equal((await keys.versions('turning', firstPage)).items.length, 1);
    isDeaf = false;
    const generate = keyModule.generate.bind(keyModule);
    keyModule.generate = async () => assert.fail('the HSM is away');
    assert.equal(await run(45), 1);
    assert.equal(await run(46), 1);
    assert.deepEqual(heard, ['KeyNearExpiry']);
    keyModule.generate = generate;
    assert.equal(await run(47), 0);
    assert.deepEqual(heard, ['KeyNearExpiry', 'KeyNewVersionCreated']);
    assert.equal(await run(48), 0);
    assert.equal(heard.length, 2);
  });
});
