import assert from 'node:assert/strict';
import { createPublicKey, type JsonWebKey, verify } from 'node:crypto';
import { describe, it } from 'node:test';
import { SecretBytes } from '@kannuki/core';
import type { SignatureAlgorithm } from '../service/key-module.ts';
import { digest, keySpec, rsa2048, terms, vaultWithClock } from '../testing/object-specs.ts';
import { ScratchVault } from '../testing/scratch-vaults.ts';

describe('using keys', () => {
  it('encrypts and decrypts with every algorithm, and not with what another version made (REQ-335, REQ-336)', async () => {
    await using scratch = await ScratchVault.make();
    const { keys } = scratch.vault;
    const shape = rsa2048;
    const first = await keys.create('kek', keySpec({ shape }), terms);
    const second = await keys.create('kek', keySpec({ shape }), terms);
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
    await keys.create('ec', keySpec(), terms);
    await assert.rejects(keys.encrypt('ec', null, 'encrypt', 'RSA-OAEP', plain), { code: 'KNK-KVT-0023' });
  });

  it('signs digests of the right length with the algorithms of the key (REQ-337)', async () => {
    await using scratch = await ScratchVault.make();
    const { keys } = scratch.vault;
    const key = await keys.create('ec', keySpec(), terms);
    const { value } = await keys.sign('ec', null, 'ES256', digest);
    assert.equal(value.length, 64);
    const publicKey = createPublicKey({ key: key.publicKey as JsonWebKey, format: 'jwk' });
    assert.ok(verify('sha256', Buffer.from('signed'), { key: publicKey, dsaEncoding: 'ieee-p1363' }, value));
    assert.equal((await keys.verify('ec', null, 'ES256', digest, value)).value, true);
    assert.equal((await keys.verify('ec', null, 'ES256', Buffer.alloc(32), value)).value, false);
    await keys.create('rsa', keySpec({ shape: rsa2048 }), terms);
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
    await using scratch = await vaultWithClock();
    const { keys, time } = scratch;
    const now = time.now / 1000;
    const shape = rsa2048;
    await keys.create('key', keySpec({ shape }), terms);
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
