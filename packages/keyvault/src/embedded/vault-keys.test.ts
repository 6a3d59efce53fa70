import assert from 'node:assert/strict';
import { createHash, createPublicKey, generateKeyPairSync, type JsonWebKey, verify } from 'node:crypto';
import { describe, it } from 'node:test';
import { SecretBytes } from '@kannuki/core';
import type { KeyShape, SignatureAlgorithm } from '../service/key-module.ts';
import type { KeyVersion } from '../service/model.ts';
import type { NewKeySpec } from '../service/vault-objects.ts';
import { ScratchVault } from '../testing/scratch-vaults.ts';
import { SoftwareModule } from '../testing/software-module.ts';

const terms = { retentionDays: 90, purgeProtection: false, premium: false };
const p256: KeyShape = { kty: 'EC', crv: 'P-256' };
const day = 86_400_000;

function spec(change: Partial<NewKeySpec> = {}): NewKeySpec {
  const validity = { enabled: true, notBefore: null, expires: null };
  return { ...validity, shape: p256, hardware: false, operations: null, tags: {}, ...change };
}

const pkcs8 = { type: 'pkcs8', format: 'der' } as const;
const digest = createHash('sha256').update('signed').digest();
const page = { limit: 25, after: null };

/** Vaults whose clock the test sets. */
async function withClock(start = Date.parse('2026-01-01T00:00:00Z')) {
  const time = { now: start };
  const scratch = await ScratchVault.make('kv-test', { clock: () => time.now });
  return Object.assign(scratch, { time, keys: scratch.vault.keys });
}

describe('making keys (REQ-327 to REQ-329)', () => {
  it('takes the shapes that vaults have, and no others', async () => {
    await using scratch = await ScratchVault.make();
    const { keys } = scratch.vault;
    const shapes = [
      { kty: 'RSA', bits: 2048 },
      ...['P-256', 'P-384', 'P-521', 'P-256K'].map((crv) => ({ kty: 'EC', crv })),
    ];
    for (const shape of shapes as readonly KeyShape[]) {
      const key = await keys.create('made', spec({ shape, tags: { a: 'b' } }), terms);
      assert.equal(key.kind, shape.kty);
      assert.equal(key.publicKey.kty, shape.kty);
      assert.equal(
        key.bits,
        shape.kty === 'RSA' ? shape.bits : ({ 'P-384': 384, 'P-521': 521 }[shape.crv as 'P-384'] ?? 256),
      );
      const all = ['encrypt', 'decrypt', 'sign', 'verify', 'wrapKey', 'unwrapKey'];
      assert.deepEqual(key.operations, shape.kty === 'RSA' ? all : ['sign', 'verify']);
      assert.match(key.version, /^[0-9a-f]{32}$/);
      assert.deepEqual(key.tags, { a: 'b' });
      assert.deepEqual(await keys.get('MADE', null), key);
      assert.deepEqual(await keys.get('made', key.version.toUpperCase()), key);
    }
    assert.equal((await keys.versions('made', page)).items.length, shapes.length);
    const wrong: readonly Partial<NewKeySpec>[] = [
      { shape: { kty: 'RSA', bits: 1024 } },
      { shape: { kty: 'RSA', bits: 8192 } },
      { shape: { kty: 'EC', crv: 'P-224' as 'P-256' } },
      { shape: { kty: 'EC', crv: 'toString' as 'P-256' } },
      { operations: ['encrypt'] },
      { operations: ['fly'] },
      { notBefore: 10, expires: 10 },
      { expires: 1.5 },
      { notBefore: -1 },
      { tags: Object.fromEntries(Array.from({ length: 16 }, (_, index) => [`t${index}`, ''])) },
      { tags: { ['x'.repeat(257)]: '' } },
      { tags: { x: 'x'.repeat(257) } },
    ];
    for (const change of wrong) {
      await assert.rejects(keys.create('wrong', spec(change), terms), { code: 'KNK-KVT-0022' }, JSON.stringify(change));
    }
    for (const name of ['', 'a_b', 'x'.repeat(128)]) {
      await assert.rejects(keys.create(name, spec(), terms), { code: 'KNK-KVT-0022' });
      await assert.rejects(keys.get(name, null), { code: 'KNK-KVT-0022' });
    }
    await assert.rejects(keys.get('wrong', null), { code: 'KNK-KVT-0003' });
    await assert.rejects(keys.get('made', '0'.repeat(32)), { code: 'KNK-KVT-0003' });
  });

  it('imports private keys of those shapes that fit together', async () => {
    await using scratch = await ScratchVault.make();
    const { keys } = scratch.vault;
    const importKey = (der: Buffer) => {
      const privateKey = SecretBytes.take(der);
      return keys.import('imported', { ...spec(), privateKey }, terms);
    };
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
    for (const pair of [
      rsa,
      ...['prime256v1', 'secp384r1', 'secp521r1', 'secp256k1'].map((namedCurve) =>
        generateKeyPairSync('ec', { namedCurve }),
      ),
    ]) {
      const der = pair.privateKey.export(pkcs8);
      const key = await importKey(der);
      assert.ok(
        der.every((byte) => byte === 0),
        'what was given is wiped',
      );
      const { kty, crv, ...rest } = pair.publicKey.export({ format: 'jwk' });
      assert.deepEqual(key.publicKey, {
        kty,
        ...(crv === undefined ? {} : { crv: crv === 'secp256k1' ? 'P-256K' : crv }),
        ...rest,
      });
    }
    using plain = SecretBytes.random(32);
    const wrapping = await importKey(rsa.privateKey.export(pkcs8));
    const { value } = await keys.encrypt('imported', null, 'wrapKey', 'RSA-OAEP-256', plain);
    const back = await keys.decrypt('imported', wrapping.version, 'unwrapKey', 'RSA-OAEP-256', value);
    using unwrapped = back.value;
    assert.ok(unwrapped.equals(plain));
    const [one, two] = [
      generateKeyPairSync('ec', { namedCurve: 'prime256v1' }),
      generateKeyPairSync('ec', { namedCurve: 'prime256v1' }),
    ];
    // The private number of one with the public point of the other.
    const mixed = one.privateKey.export(pkcs8);
    two.publicKey.export({ type: 'spki', format: 'der' }).copy(mixed, mixed.length - 64, 27);
    const wrong: Readonly<Record<string, Buffer>> = {
      'no key': Buffer.from('this is no key'),
      'a public key': rsa.publicKey.export({ type: 'spki', format: 'der' }),
      'RSA of 1024 bits': generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export(pkcs8),
      Ed25519: generateKeyPairSync('ed25519').privateKey.export(pkcs8),
      'another curve': generateKeyPairSync('ec', { namedCurve: 'brainpoolP256r1' }).privateKey.export(pkcs8),
      'two halves that do not fit': mixed,
    };
    for (const [what, der] of Object.entries(wrong))
      await assert.rejects(importKey(der), { code: 'KNK-KVT-0022' }, what);
    const privateKey = SecretBytes.take(one.privateKey.export(pkcs8));
    await assert.rejects(keys.import('hsm', { ...spec({ hardware: true }), privateKey }, terms), {
      code: 'KNK-KVT-0026',
    });
    assert.equal((await keys.versions('imported', page)).items.length, 6);
  });
});

describe('using keys', () => {
  it('encrypts and decrypts with every algorithm, and not with what another version made (REQ-335, REQ-336)', async () => {
    await using scratch = await ScratchVault.make();
    const { keys } = scratch.vault;
    const shape = { kty: 'RSA', bits: 2048 } as const;
    const first = await keys.create('kek', spec({ shape }), terms);
    const second = await keys.create('kek', spec({ shape }), terms);
    using plain = SecretBytes.random(40);
    for (const algorithm of ['RSA-OAEP', 'RSA-OAEP-256', 'RSA1_5'] as const) {
      const { key, value } = await keys.encrypt('kek', first.version, 'encrypt', algorithm, plain);
      assert.equal(key.version, first.version);
      const back = await keys.decrypt('kek', first.version, 'decrypt', algorithm, value);
      using decrypted = back.value;
      assert.ok(decrypted.equals(plain));
      assert.deepEqual(back.key, first);
      if (algorithm === 'RSA1_5') continue;
      await assert.rejects(keys.decrypt('kek', null, 'decrypt', algorithm, value), { code: 'KNK-KVT-0018' });
      await assert.rejects(keys.decrypt('kek', second.version, 'unwrapKey', algorithm, value), {
        code: 'KNK-KVT-0018',
      });
    }
    using tooLong = SecretBytes.random(300);
    await assert.rejects(keys.encrypt('kek', null, 'wrapKey', 'RSA1_5', tooLong), { code: 'KNK-KVT-0018' });
    await keys.create('ec', spec(), terms);
    await assert.rejects(keys.encrypt('ec', null, 'encrypt', 'RSA-OAEP', plain), { code: 'KNK-KVT-0023' });
  });

  it('signs digests of the right length with the algorithms of the key (REQ-337)', async () => {
    await using scratch = await ScratchVault.make();
    const { keys } = scratch.vault;
    const key = await keys.create('ec', spec(), terms);
    const { value } = await keys.sign('ec', null, 'ES256', digest);
    assert.equal(value.length, 64);
    const publicKey = createPublicKey({ key: key.publicKey as JsonWebKey, format: 'jwk' });
    assert.ok(verify('sha256', Buffer.from('signed'), { key: publicKey, dsaEncoding: 'ieee-p1363' }, value));
    assert.equal((await keys.verify('ec', null, 'ES256', digest, value)).value, true);
    assert.equal((await keys.verify('ec', null, 'ES256', Buffer.alloc(32), value)).value, false);
    await keys.create('rsa', spec({ shape: { kty: 'RSA', bits: 2048 } }), terms);
    for (const [name, algorithm, length] of [
      ['ec', 'ES256', 31],
      ['ec', 'ES384', 48],
      ['ec', 'ES256K', 32],
      ['ec', 'RS256', 32],
      ['rsa', 'ES256', 32],
      ['rsa', 'RS256', 48],
      ['rsa', 'PS512', 32],
      ['rsa', 'RSNULL', 0],
      ['rsa', 'RSNULL', 246],
    ] as const satisfies readonly (readonly [string, SignatureAlgorithm, number])[]) {
      const what = `${name} ${algorithm} ${length}`;
      await assert.rejects(keys.sign(name, null, algorithm, Buffer.alloc(length)), { code: 'KNK-KVT-0022' }, what);
      await assert.rejects(
        keys.verify(name, null, algorithm, Buffer.alloc(length), value),
        { code: 'KNK-KVT-0022' },
        what,
      );
    }
  });

  it('asks for enabled, key_ops, and the time, in this order (REQ-136, REQ-338)', async () => {
    await using scratch = await withClock();
    const { keys, time } = scratch;
    const now = time.now / 1000;
    const shape = { kty: 'RSA', bits: 2048 } as const;
    await keys.create('key', spec({ shape }), terms);
    using plain = SecretBytes.random(16);
    const { value: ciphertext } = await keys.encrypt('key', null, 'encrypt', 'RSA-OAEP', plain);
    const { value: signature } = await keys.sign('key', null, 'PS256', digest);
    const calls: Readonly<Record<string, () => Promise<unknown>>> = {
      encrypt: () => keys.encrypt('key', null, 'encrypt', 'RSA-OAEP', plain),
      wrapKey: () => keys.encrypt('key', null, 'wrapKey', 'RSA-OAEP', plain),
      decrypt: () => keys.decrypt('key', null, 'decrypt', 'RSA-OAEP', ciphertext),
      unwrapKey: () => keys.decrypt('key', null, 'unwrapKey', 'RSA-OAEP', ciphertext),
      sign: () => keys.sign('key', null, 'PS256', digest),
      verify: () => keys.verify('key', null, 'PS256', digest, signature),
    };
    const answers = async (): Promise<Record<string, string>> => {
      const found: Record<string, string> = {};
      for (const [name, call] of Object.entries(calls)) {
        found[name] = await call().then(
          () => 'ok',
          (error: { code: string }) => error.code.slice(-4),
        );
      }
      return found;
    };
    const each = (answer: string) => Object.fromEntries(Object.keys(calls).map((name) => [name, answer]));
    const outside = { ...each('0024'), decrypt: 'ok', unwrapKey: 'ok', verify: 'ok' };
    assert.deepEqual(await answers(), each('ok'));
    await keys.update('key', null, { expires: now });
    assert.deepEqual(await answers(), outside, 'expired');
    await keys.update('key', null, { notBefore: now + 1, expires: now + 100 });
    assert.deepEqual(await answers(), outside, 'not yet');
    time.now += 1000;
    assert.deepEqual(await answers(), each('ok'), 'from nbf on');
    await keys.update('key', null, { operations: ['verify'] });
    assert.deepEqual(await answers(), { ...each('0023'), verify: 'ok' });
    await keys.update('key', null, { enabled: false, notBefore: null, expires: 1 });
    assert.deepEqual(await answers(), each('0004'));
    const { vault } = scratch;
    await keys.update('key', null, { enabled: true, operations: ['wrapKey', 'unwrapKey'] });
    const id = `https://kv-test.vault.localhost:8443/keys/key`;
    await assert.rejects(vault.wrapKey(id, 'RSA-OAEP', plain), { code: 'KNK-KVT-0024' });
    using unwrapped = await vault.unwrapKey(id, 'RSA-OAEP', ciphertext);
    assert.ok(unwrapped.equals(plain));
  });
});

describe('the life of a key', () => {
  it('changes what is said of it, never its material (REQ-331)', async () => {
    await using scratch = await withClock();
    const { keys, time } = scratch;
    const made = await keys.create('key', spec({ tags: { a: '1' } }), terms);
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
    await using scratch = await withClock();
    const { keys, time, vault } = scratch;
    const versions = [await keys.create('Key', spec(), terms), await keys.create('key', spec(), terms)];
    const backup = await keys.backup('key');
    const protectedTerms = { ...terms, retentionDays: 7, purgeProtection: true };
    const deleted = await keys.delete('KEY', protectedTerms);
    const seconds = time.now / 1000;
    assert.deepEqual(deleted, { ...versions[1], deletedDate: seconds, scheduledPurgeDate: seconds + 7 * 86_400 });
    assert.deepEqual(await keys.getDeleted('key'), deleted);
    assert.deepEqual((await keys.listDeleted(page)).items, [deleted]);
    assert.deepEqual((await keys.list(page)).items, []);
    assert.deepEqual(vault.listKeys(), []);
    assert.deepEqual(vault.keyVersions('key'), []);
    const gone: readonly (() => Promise<unknown>)[] = [
      () => keys.get('key', null),
      () => keys.get('key', versions[0]?.version ?? ''),
      () => keys.versions('key', page),
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
      () => keys.create('key', spec(), terms),
      () => keys.restore(backup),
      () => vault.createKey('key'),
      () => {
        const privateKey = SecretBytes.take(
          generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey.export(pkcs8),
        );
        return keys.import('key', { ...spec(), privateKey }, terms);
      },
    ];
    for (const call of held) await assert.rejects(call(), { code: 'KNK-KVT-0021' }, call.toString());
    await assert.rejects(keys.purge('key', protectedTerms), { code: 'KNK-KVT-0025' });
    assert.deepEqual(await keys.recover('key'), versions[1]);
    assert.deepEqual((await keys.versions('key', page)).items, versions);
    for (const call of [() => keys.recover('key'), () => keys.purge('key', terms), () => keys.getDeleted('key')]) {
      await assert.rejects(call(), { code: 'KNK-KVT-0003' });
    }
    await keys.delete('key', terms);
    await keys.purge('key', terms);
    await assert.rejects(keys.getDeleted('key'), { code: 'KNK-KVT-0003' });
    const fresh = await keys.create('key', spec(), terms);
    assert.deepEqual((await keys.versions('key', page)).items, [fresh]);
    await keys.delete('key', protectedTerms);
    time.now += 7 * day;
    await keys.purge('key', protectedTerms);
    await assert.rejects(keys.getDeleted('key'), { code: 'KNK-KVT-0003' });
    await assert.rejects(keys.delete('key', { ...terms, retentionDays: 6 }), { code: 'KNK-KVT-0022' });
  });

  it('ends by itself on its day (REQ-354)', async () => {
    await using scratch = await withClock();
    const { keys, vaults, time } = scratch;
    const value = SecretBytes.take(Buffer.from('value'));
    await scratch.vault.secrets.set('secret', { ...spec(), value, contentType: null });
    for (const name of ['early', 'late', 'live']) await keys.create(name, spec(), terms);
    await keys.delete('early', { ...terms, retentionDays: 7, purgeProtection: true });
    await scratch.vault.secrets.delete('secret', { ...terms, retentionDays: 7 });
    await keys.delete('late', terms);
    const names = async (now: number) => (await vaults.purgeDue(now)).done.map(({ name }) => name);
    assert.deepEqual(await names(time.now + 7 * day - 1), []);
    assert.deepEqual(await names(time.now + 7 * day), ['early', 'secret']);
    assert.deepEqual(await names(time.now + 7 * day), []);
    assert.deepEqual(
      (await keys.listDeleted(page)).items.map(({ name }) => name),
      ['late'],
    );
    await keys.recover('late');
    assert.deepEqual(await names(time.now + 1000 * day), []);
  });

  it('is listed in pages, by name and by version (REQ-332)', async () => {
    await using scratch = await ScratchVault.make();
    const { keys } = scratch.vault;
    const names = ['b', 'A', 'c', 'D', 'e'];
    await Promise.all(names.map((name) => keys.create(name, spec(), terms)));
    const made: KeyVersion[] = [];
    for (let count = 0; count < 4; count += 1) made.push(await keys.create('e', spec(), terms));
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
    await assert.rejects(keys.versions('none', page), { code: 'KNK-KVT-0003' });
  });

  it('comes back from a backup with all versions, in its own installation only (REQ-343)', async () => {
    await using scratch = await withClock();
    await using foreign = await ScratchVault.make();
    const { keys, vault, vaults } = scratch;
    for (const tag of ['1', '2', '3']) await keys.create('Key', spec({ tags: { tag }, expires: 4_000_000_000 }), terms);
    await keys.update('key', null, { enabled: false });
    const policy = await keys.setRotationPolicy('key', { lifetimeActions: [], expiryTime: 'P90D' });
    const { items } = await keys.versions('key', page);
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
      assert.deepEqual((await target.versions('key', page)).items, items);
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
    assert.deepEqual((await fresh.keys.list(page)).items, []);
    await assert.rejects(vault.keys.backup('none'), { code: 'KNK-KVT-0003' });
  });
});

describe('rotation (REQ-339 to REQ-341)', () => {
  it('makes a new version of the same kind, and its expiry by the policy', async () => {
    await using scratch = await withClock();
    const { keys, time } = scratch;
    const first = await keys.create('key', spec({ operations: ['sign'], tags: { a: 'b' } }), terms);
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
    await using scratch = await withClock();
    const { keys, vaults, time } = scratch;
    const start = time.now;
    await keys.create('turning', spec(), terms);
    const rotate = { action: 'Rotate', timeAfterCreate: 'P10D', timeBeforeExpiry: null } as const;
    await keys.setRotationPolicy('turning', { lifetimeActions: [rotate], expiryTime: 'P60D' });
    const ending = await keys.create('ending', spec({ expires: start / 1000 + 40 * 86_400 }), terms);
    await keys.create('lasting', spec(), terms);
    await keys.create('deleted', spec({ expires: start / 1000 + 40 * 86_400 }), terms);
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
    assert.equal((await keys.versions('turning', page)).items.length, 2);
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
});

describe('HSM-protected keys', () => {
  const shape = { kty: 'RSA', bits: 2048 } as const;
  const premium = { ...terms, premium: true };

  it('live in the module, do what it can, and go with their purge', async () => {
    await using keyModule = new SoftwareModule();
    await using scratch = await ScratchVault.make('kv-test', { keyModule });
    const { keys } = scratch.vault;
    const hardware = spec({ shape, hardware: true });
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
      'a shape the module lacks': () => keys.create('other', spec({ hardware: true }), premium),
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

  it('are not possible without a module', async () => {
    await using scratch = await ScratchVault.make();
    const made = scratch.vault.keys.create('kek', spec({ shape, hardware: true }), premium);
    await assert.rejects(made, { code: 'KNK-KVT-0026' });
  });
});
