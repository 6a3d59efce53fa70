import assert from 'node:assert/strict';
import { constants, createHash, publicDecrypt, publicEncrypt, randomBytes, verify } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { inspect } from 'node:util';
import { KannukiError, SecretBytes } from '@kannuki/core';
import type { KeyShape, SignatureAlgorithm } from '../service/key-module.ts';
import { ScratchFolder } from '../testing/scratch-vaults.ts';
import { makeSoftToken, softHsmModule, softTokenPin } from '../testing/soft-token.ts';
import { loadModule, resultName } from './cryptoki.ts';
import { Pkcs11Module } from './pkcs11-module.ts';
import { keyObjectOf } from './public-key.ts';
import { Pkcs11Token, type Pkcs11TokenOptions } from './token.ts';

let folder: ScratchFolder;
let options: Pkcs11TokenOptions;
let module: Pkcs11Module;
before(async () => {
  folder = await ScratchFolder.make();
  options = await makeSoftToken(folder);
  module = await Pkcs11Module.open(options);
});
after(async () => {
  await module[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

async function failure(work: Promise<unknown>): Promise<KannukiError> {
  const error: unknown = await work.then(
    () => assert.fail('it did not fail'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof KannukiError, inspect(error));
  assert.ok(!inspect(error, { depth: 9 }).includes(softTokenPin), 'an error holds the PIN');
  return error;
}

describe('a module on SoftHSM', () => {
  it('says what this token can do: OAEP with SHA-1 only', () => {
    const { shapes, encryption, signature } = module.capabilities;
    assert.deepEqual(encryption, ['RSA-OAEP', 'RSA1_5']);
    assert.deepEqual(
      shapes.map((shape) => (shape.kty === 'RSA' ? shape.bits : shape.crv)),
      [2048, 3072, 4096, 'P-256', 'P-384', 'P-521', 'P-256K'],
    );
    const all = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'RSNULL', 'ES256', 'ES384', 'ES512', 'ES256K'];
    assert.deepEqual(signature, all);
  });

  for (const bits of [2048, 3072, 4096]) {
    it(`unwraps with RSA of ${bits} bits in the token what was wrapped with the public key`, async () => {
      const { publicKey, handle } = await module.generate({ kty: 'RSA', bits });
      const key = keyObjectOf(publicKey);
      assert.equal(key.asymmetricKeyDetails?.modulusLength, bits);
      const text = randomBytes(172);
      const padding = constants.RSA_PKCS1_OAEP_PADDING;
      const wrapped = publicEncrypt({ key, padding, oaepHash: 'sha1' }, text);
      using opened = await module.decrypt(handle, 'RSA-OAEP', wrapped);
      assert.deepEqual(Buffer.from(opened.bytes), text);
      // The same answer for padding, length and hash that are wrong.
      const other = publicEncrypt({ key, padding, oaepHash: 'sha256' }, text.subarray(0, 32));
      const bad = [
        wrapped.map((byte, at) => (at === 9 ? byte ^ 1 : byte)),
        wrapped.subarray(1),
        other,
        Buffer.alloc(0),
      ];
      const refusals: KannukiError[] = [];
      for (const one of bad) refusals.push(await failure(module.decrypt(handle, 'RSA-OAEP', one)));
      assert.deepEqual(
        refusals.map(({ code, message }) => [code, message]),
        bad.map(() => ['KNK-KVT-0018', refusals[0]?.message]),
      );
      assert.equal((await failure(module.decrypt(handle, 'RSA-OAEP-256', other))).code, 'KNK-KVT-0026');
      await module.destroy(handle);
    });
  }

  it('makes signatures that node:crypto takes', async () => {
    const shapes: readonly (readonly [KeyShape, readonly SignatureAlgorithm[]])[] = [
      [{ kty: 'RSA', bits: 2048 }, ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'RSNULL']],
      [{ kty: 'EC', crv: 'P-256' }, ['ES256']],
      [{ kty: 'EC', crv: 'P-384' }, ['ES384']],
      [{ kty: 'EC', crv: 'P-521' }, ['ES512']],
      [{ kty: 'EC', crv: 'P-256K' }, ['ES256K']],
    ];
    for (const [shape, algorithms] of shapes) {
      const { publicKey, handle } = await module.generate(shape);
      const key = keyObjectOf(publicKey);
      for (const algorithm of algorithms) {
        const message = randomBytes(100);
        if (algorithm === 'RSNULL') {
          const signature = await module.sign(handle, algorithm, message);
          const padding = constants.RSA_PKCS1_PADDING;
          assert.deepEqual(publicDecrypt({ key, padding }, signature), message);
          continue;
        }
        const hash = `sha${algorithm.slice(2, 5)}`;
        const digest = createHash(hash).update(message).digest();
        const signature = await module.sign(handle, algorithm, digest);
        const isPss = algorithm.startsWith('PS');
        const how =
          shape.kty === 'EC'
            ? { dsaEncoding: 'ieee-p1363' as const }
            : {
                padding: isPss ? constants.RSA_PKCS1_PSS_PADDING : constants.RSA_PKCS1_PADDING,
                saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
              };
        assert.ok(verify(hash, message, { key, ...how }, signature), algorithm);
        assert.equal(verify(hash, randomBytes(100), { key, ...how }, signature), false);
        assert.equal((await failure(module.sign(handle, algorithm, digest.subarray(1)))).code, 'KNK-KVT-0018');
      }
    }
  });

  it('never lets a private key out', async () => {
    const rsa = await module.generate({ kty: 'RSA', bits: 2048 });
    const ec = await module.generate({ kty: 'EC', crv: 'P-256' });
    const token = await Pkcs11Token.open(options);
    try {
      for (const [{ handle }, secrets] of [
        [rsa, ['CKA_PRIVATE_EXPONENT', 'CKA_PRIME_1', 'CKA_PRIME_2', 'CKA_EXPONENT_1', 'CKA_COEFFICIENT']],
        [ec, ['CKA_VALUE']],
      ] as const) {
        await token.use(async ({ binding: b, cryptoki, session, find }) => {
          const [key, ...others] = find([
            { type: b.CKA_CLASS, value: b.CKO_PRIVATE_KEY },
            { type: b.CKA_ID, value: Buffer.from(handle.subarray(1)) },
          ]);
          assert.ok(key !== undefined && others.length === 0);
          const read = (type: number): unknown => cryptoki.C_GetAttributeValue(session, key, [{ type }])[0]?.value;
          for (const name of secrets) {
            assert.throws(
              () => read(b[name]),
              (error) => resultName(error) === 'CKR_ATTRIBUTE_SENSITIVE',
              name,
            );
          }
          const flags = [b.CKA_TOKEN, b.CKA_PRIVATE, b.CKA_SENSITIVE, b.CKA_ALWAYS_SENSITIVE, b.CKA_NEVER_EXTRACTABLE];
          for (const flag of flags) assert.deepEqual(read(flag), Buffer.of(1));
          assert.deepEqual(read(b.CKA_EXTRACTABLE), Buffer.of(0));
          // And nobody can make it extractable, or wrap it out.
          assert.throws(() => cryptoki.C_SetAttributeValue(session, key, [{ type: b.CKA_EXTRACTABLE, value: true }]));
          const wrapping = cryptoki.C_GenerateKey(session, { mechanism: b.CKM_AES_KEY_GEN }, [
            { type: b.CKA_VALUE_LEN, value: 32 },
            { type: b.CKA_WRAP, value: true },
          ]);
          const iv = Buffer.alloc(16);
          assert.throws(() =>
            cryptoki.C_WrapKey(
              session,
              { mechanism: b.CKM_AES_CBC_PAD, parameter: iv },
              wrapping,
              key,
              Buffer.alloc(4096),
            ),
          );
        });
      }
    } finally {
      await token.close();
    }
  });

  it('destroys for good, and no other key', async () => {
    const kept = await module.generate({ kty: 'EC', crv: 'P-256' });
    const gone = await module.generate({ kty: 'EC', crv: 'P-256' });
    await module.destroy(gone.handle);
    await module.destroy(gone.handle);
    const digest = randomBytes(32);
    assert.equal((await failure(module.sign(gone.handle, 'ES256', digest))).code, 'KNK-KVT-0003');
    await module.sign(kept.handle, 'ES256', digest);
    for (const handle of [
      Uint8Array.of(),
      Uint8Array.of(1),
      Uint8Array.of(1, 2),
      new Uint8Array(17),
      new Uint8Array(200),
    ]) {
      assert.equal((await failure(module.sign(handle, 'ES256', digest))).code, 'KNK-KVT-0003');
      await assert.rejects(module.destroy(handle), { code: 'KNK-KVT-0003' });
    }
    const shape: KeyShape = { kty: 'RSA', bits: 1024 };
    assert.equal((await failure(module.generate(shape))).code, 'KNK-KVT-0026');
  });

  it('serves many callers with few sessions, and leaves the event loop free', async () => {
    const { handle } = await module.generate({ kty: 'RSA', bits: 2048 });
    const digest = randomBytes(32);
    let turns = 0;
    const ticking = setInterval(() => (turns += 1), 1);
    const calls = Array.from({ length: 60 }, () => module.sign(handle, 'RS256', digest));
    const signatures = await Promise.all(calls).finally(() => clearInterval(ticking));
    assert.equal(new Set(signatures.map((one) => Buffer.from(one).toString('hex'))).size, 1);
    assert.ok(turns > 0, 'the event loop never turned');
  });

  it('makes nobody wait for ever: neither for a session nor for an answer', async () => {
    const token = await Pkcs11Token.open({ ...options, sessions: 2, waitSeconds: 0.2 });
    const { promise: answer, resolve } = Promise.withResolvers<number>();
    const hanging = [1, 2].map(() => failure(token.use(() => answer)));
    const third = await failure(token.use(async () => 3));
    assert.match(third.message, /no session got free in 0.2 s/);
    for (const error of await Promise.all(hanging)) assert.match(error.message, /it gave no answer in 0.2 s/);
    // Their sessions come back when the token answers after all.
    resolve(1);
    await answer;
    assert.equal(await token.use(async () => 4), 4);
    await token.close();
  });

  it('logs in again when the token lost its sessions or its login', async () => {
    const { handle } = await module.generate({ kty: 'EC', crv: 'P-256' });
    const digest = randomBytes(32);
    const { cryptoki, release } = await loadModule(softHsmModule);
    for (const slot of cryptoki.C_GetSlotList(true)) cryptoki.C_CloseAllSessions(slot);
    await Promise.all(Array.from({ length: 6 }, () => module.sign(handle, 'ES256', digest)));
    const [slot] = cryptoki.C_GetSlotList(true);
    assert.ok(slot !== undefined);
    const session = cryptoki.C_OpenSession(slot, 4);
    cryptoki.C_Logout(session);
    cryptoki.C_CloseSession(session);
    await module.sign(handle, 'ES256', digest);
    release();
  });
});

describe('a token that cannot be used', () => {
  const wrong = async (): Promise<SecretBytes> => SecretBytes.take(Buffer.from('WRONG-pin-canary'));

  it('is refused with a reason and without the PIN', async () => {
    const cases: readonly (readonly [Partial<Pkcs11TokenOptions>, RegExp])[] = [
      [{ modulePath: '/nowhere/lib.so' }, /cannot be loaded/],
      [{ modulePath: '/dev/null' }, /cannot be loaded/],
      [{ tokenLabel: 'another' }, /no such token is there/],
    ];
    for (const [change, reason] of cases) {
      const error = await failure(Pkcs11Module.open({ ...options, ...change }));
      assert.equal(error.code, 'KNK-KVT-0042');
      assert.match(error.message, reason);
    }
  });

  it('gets a wrong PIN once and no more: a token locks itself', async () => {
    // All other users let go, or the wrong PIN would not be needed: a login is for the whole process.
    await module[Symbol.asyncDispose]();
    let asked = 0;
    const pin = (): Promise<SecretBytes> => {
      asked += 1;
      return wrong();
    };
    const error = await failure(Pkcs11Token.open({ ...options, pin }));
    assert.equal(error.code, 'KNK-KVT-0042');
    assert.match(error.message, /CKR_PIN_INCORRECT/);
    assert.equal(asked, 1);
    assert.ok(!inspect(error).includes('WRONG'));
    module = await Pkcs11Module.open(options);
  });
});
