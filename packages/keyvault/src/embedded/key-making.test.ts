import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { SecretBytes } from '@kannuki/core';
import type { KeyShape } from '../service/key-module.ts';
import type { NewKeySpec } from '../service/vault-objects.ts';
import { firstPage, keySpec, terms } from '../testing/object-specs.ts';
import { ScratchVault } from '../testing/scratch-vaults.ts';

const pkcs8 = { type: 'pkcs8', format: 'der' } as const;

describe('making keys (REQ-327 to REQ-329)', () => {
  it('takes the shapes that vaults have, and no others', async () => {
    await using scratch = await ScratchVault.make();
    const { keys } = scratch.vault;
    const shapes = [
      { kty: 'RSA', bits: 2048 },
      ...['P-256', 'P-384', 'P-521', 'P-256K'].map((crv) => ({ kty: 'EC', crv })),
    ];
    for (const shape of shapes as readonly KeyShape[]) {
      const key = await keys.create('made', keySpec({ shape, tags: { a: 'b' } }), terms);
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
    assert.equal((await keys.versions('made', firstPage)).items.length, shapes.length);
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
      await assert.rejects(
        keys.create('wrong', keySpec(change), terms),
        { code: 'KNK-KVT-0022' },
        JSON.stringify(change),
      );
    }
    for (const name of ['', 'a_b', 'x'.repeat(128)]) {
      await assert.rejects(keys.create(name, keySpec(), terms), { code: 'KNK-KVT-0022' });
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
      return keys.import('imported', { ...keySpec(), privateKey }, terms);
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
    await assert.rejects(keys.import('hsm', { ...keySpec({ hardware: true }), privateKey }, terms), {
      code: 'KNK-KVT-0026',
    });
    assert.equal((await keys.versions('imported', firstPage)).items.length, 6);
  });
});
