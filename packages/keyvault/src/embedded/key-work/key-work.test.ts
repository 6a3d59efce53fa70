import assert from 'node:assert/strict';
import {
  constants,
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  publicEncrypt,
  sign,
  verify,
} from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { run, SecretBytes } from '@kannuki/core';
import { build } from 'esbuild';
import fc from 'fast-check';
import type { SignatureAlgorithm } from '../../service/key-module.ts';
import type { CurveName } from '../../service/model.ts';
import { ScratchFolder } from '../../testing/scratch-vaults.ts';
import type { VersionRow } from '../statements.ts';
import { curves, fromInteger, toInteger } from './curves.ts';
import { signatureSchemes } from './digest-encoding.ts';
import { KeyWork } from './key-work.ts';
import { Modulus, publicInverse } from './modular.ts';
import { Permits } from './permits.ts';
import { publicJwk, spkiOf } from './public-key.ts';

/** Keys as rows of a vault would give them; the MAC is their name. */
const stored = new Map<string, Buffer>();
let opened = 0;
const work = new KeyWork(async ({ mac }) => {
  opened += 1;
  return SecretBytes.copy(stored.get(Buffer.from(mac).toString()) ?? Buffer.alloc(0));
});
after(() => work.close());

interface Pair {
  readonly publicKey: Buffer;
  readonly publicObject: KeyObject;
  readonly privateKey: KeyObject;
  readonly row: VersionRow;
}

function pairOf(name: string, privateKey: KeyObject, publicObject: KeyObject): Pair {
  stored.set(name, privateKey.export({ type: 'pkcs8', format: 'der' }));
  const row = { mac: Buffer.from(name), object: { id: stored.size }, fields: { name } } as unknown as VersionRow;
  return { publicKey: publicObject.export({ type: 'spki', format: 'der' }), publicObject, privateKey, row };
}

function generated(kind: 'RSA' | CurveName): Pair {
  const { publicKey, privateKey } =
    kind === 'RSA'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: curves[kind].openssl });
  return pairOf(kind, privateKey, publicKey);
}

let pairs: Readonly<Record<'RSA' | CurveName, Pair>>;
before(() => {
  const [rsa, ...ec] = [generated('RSA'), ...(Object.keys(curves) as CurveName[]).map((name) => generated(name))];
  const [p256, p384, p521, p256k] = ec;
  assert.ok(rsa && p256 && p384 && p521 && p256k);
  pairs = { RSA: rsa, 'P-256': p256, 'P-384': p384, 'P-521': p521, 'P-256K': p256k };
});

const message = Buffer.from('what is signed');

/** How OpenSSL, which takes messages, is told to do the same. */
function opensslOptions(algorithm: SignatureAlgorithm): {
  padding?: number;
  saltLength?: number;
  dsaEncoding?: 'ieee-p1363';
} {
  const scheme = signatureSchemes[algorithm];
  if (scheme.kind === 'EC') return { dsaEncoding: 'ieee-p1363' };
  if (scheme.kind === 'PKCS1') return { padding: constants.RSA_PKCS1_PADDING };
  return { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
}

describe('signatures of digests', () => {
  for (const algorithm of Object.keys(signatureSchemes) as SignatureAlgorithm[]) {
    const scheme = signatureSchemes[algorithm];
    const { hash } = scheme;
    if (hash === null) continue;
    it(`with ${algorithm} are those of OpenSSL, both ways`, async () => {
      const pair = pairs[scheme.kind === 'EC' ? scheme.curve : 'RSA'];
      const digest = createHash(hash).update(message).digest();
      const options = opensslOptions(algorithm);
      for (let round = 0; round < (scheme.kind === 'EC' ? 6 : 2); round += 1) {
        const ours = await work.sign(pair.row, scheme, 2048, digest);
        assert.ok(verify(hash, message, { key: pair.publicObject, ...options }, ours));
        const theirs: Buffer = sign(hash, message, { key: pair.privateKey, ...options });
        assert.equal(ours.length, theirs.length);
        assert.equal(await work.verify(pair.publicKey, scheme, digest, theirs), true);
        const other = Buffer.from(digest);
        other[round] = (other[round] ?? 0) ^ 1;
        assert.equal(await work.verify(pair.publicKey, scheme, other, theirs), false);
        const damaged = Buffer.from(theirs);
        damaged[damaged.length - 1 - round] = (damaged[damaged.length - 1 - round] ?? 0) ^ 1;
        assert.equal(await work.verify(pair.publicKey, scheme, digest, damaged), false);
      }
      for (const wrong of [Buffer.alloc(0), Buffer.alloc(64), Buffer.alloc(132, 255), Buffer.alloc(10_000)]) {
        assert.equal(await work.verify(pair.publicKey, scheme, digest, wrong), false, `${wrong.length} bytes`);
      }
    });
  }

  it('with RSNULL hold the bytes as they are', async () => {
    const { row, publicKey, publicObject } = pairs.RSA;
    const bytes = Buffer.alloc(36, 5);
    const signature = await work.sign(row, signatureSchemes.RSNULL, 2048, bytes);
    assert.equal(await work.verify(publicKey, signatureSchemes.RSNULL, bytes, signature), true);
    assert.equal(await work.verify(publicKey, signatureSchemes.RSNULL, bytes.subarray(1), signature), false);
    assert.equal(verify('sha256', bytes, publicObject, signature), false);
  });

  it('are made in the program that is bundled into one file, too', async () => {
    await using folder = await ScratchFolder.make();
    const script = `
      import { createHash, generateKeyPairSync, sign } from 'node:crypto';
      import { KeyWork } from './key-work.ts';
      const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
      const signature = sign('sha256', 'x', { key: privateKey, dsaEncoding: 'ieee-p1363' });
      const spki = publicKey.export({ type: 'spki', format: 'der' });
      const scheme = { kind: 'EC', curve: 'P-256', hash: 'sha256' };
      const digest = createHash('sha256').update('x').digest();
      console.log(await new KeyWork().verify(spki, scheme, digest, signature));`;
    const outfile = folder.file('program.mjs');
    await build({
      stdin: { contents: script, resolveDir: import.meta.dirname },
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node24',
      minifySyntax: true,
      minifyWhitespace: true,
    });
    assert.equal((await run(process.execPath, [outfile])).stdout, 'true\n');
  });

  it('of elliptic curves are refused outside 1 to n-1, and beside those, and right for the keys 1 and n-1', async () => {
    const digest = createHash('sha256').update(message).digest();
    for (const name of ['P-256', 'P-256K'] as const) {
      const curve = curves[name];
      const { n, bytes, openssl } = curve;
      const scheme = { kind: 'EC', curve: name, hash: 'sha256' } as const;
      for (const secret of [1n, n - 1n]) {
        const y = secret === 1n ? curve.y : curve.p - curve.y;
        const [d, x, ordinate] = [secret, curve.x, y].map((value) => fromInteger(value, bytes).toString('base64url'));
        assert.ok(d && x && ordinate);
        const crv = openssl === 'secp256k1' ? openssl : name;
        const privateKey = createPrivateKey({ key: { kty: 'EC', crv, d, x, y: ordinate }, format: 'jwk' });
        const publicKey = spkiOf({ kty: 'EC', crv: name, x, y: ordinate });
        const theirs: Buffer = sign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' });
        assert.equal(await work.verify(publicKey, scheme, digest, theirs), true, `${name} ${secret}`);
        const [r, s] = [toInteger(theirs.subarray(0, bytes)), toInteger(theirs.subarray(bytes))];
        for (const [left, right] of [
          [0n, s],
          [r, 0n],
          [n, s],
          [r, n],
          [s, r],
          [r, s - 1n],
        ] as const) {
          const wrong = Buffer.concat([fromInteger(left, bytes), fromInteger(right, bytes)]);
          assert.equal(await work.verify(publicKey, scheme, digest, wrong), false);
        }
        // The other solution for s: what ECDSA allows, OpenSSL does too.
        const mirrored = Buffer.concat([fromInteger(r, bytes), fromInteger(n - s, bytes)]);
        assert.equal(await work.verify(publicKey, scheme, digest, mirrored), true);
      }
    }
  });
});

describe('encryption', () => {
  for (const [algorithm, longest] of [
    ['RSA-OAEP', 256 - 42],
    ['RSA-OAEP-256', 256 - 66],
    ['RSA1_5', 256 - 11],
  ] as const) {
    it(`with ${algorithm} comes back, up to the longest value`, async () => {
      const { row, publicKey } = pairs.RSA;
      for (const length of [0, 1, 32, longest]) {
        using plain = SecretBytes.random(length);
        const ciphertext = work.encrypt(publicKey, algorithm, plain);
        assert.ok(ciphertext);
        using back = await work.decrypt(row, 2048, algorithm, ciphertext);
        assert.ok(back?.equals(plain));
      }
      using tooLong = SecretBytes.random(longest + 1);
      assert.equal(work.encrypt(publicKey, algorithm, tooLong), undefined);
      for (const wrong of [
        Buffer.alloc(0),
        Buffer.alloc(255, 1),
        Buffer.alloc(257),
        Buffer.alloc(256, 255),
        Buffer.alloc(9000),
      ]) {
        assert.equal(await work.decrypt(row, 2048, algorithm, wrong), undefined, `${wrong.length} bytes`);
      }
    });
  }

  it('with RSA1_5 does not tell wrong padding from right', async () => {
    const { row, publicObject } = pairs.RSA;
    for (let first = 0; first < 8; first += 1) {
      // A block without padding: what an attacker would send to learn whether it happens to look padded.
      const block = Buffer.alloc(256, first + 1);
      block[0] = 0;
      const ciphertext = publicEncrypt({ key: publicObject, padding: constants.RSA_NO_PADDING }, block);
      using once = await work.decrypt(row, 2048, 'RSA1_5', ciphertext);
      using again = await work.decrypt(row, 2048, 'RSA1_5', ciphertext);
      assert.ok(once && again && once.equals(again), 'a value comes back, always the same');
    }
  });

  it('opens a sealed key once while it is in use, and anew when told to forget it', async () => {
    const { row, publicKey } = pairs.RSA;
    using plain = SecretBytes.random(32);
    const ciphertext = work.encrypt(publicKey, 'RSA-OAEP', plain);
    assert.ok(ciphertext);
    const unwrap = async (): Promise<number> => {
      opened = 0;
      const unwrapped = await Promise.all(
        Array.from({ length: 20 }, () => work.decrypt(row, 2048, 'RSA-OAEP', ciphertext)),
      );
      for (const value of unwrapped) value?.[Symbol.dispose]();
      return opened;
    };
    await unwrap();
    assert.equal(await unwrap(), 0);
    work.forget(row.object.id + 1000);
    assert.equal(await unwrap(), 0);
    work.forget(row.object.id);
    assert.equal(await unwrap(), 1);
    work.forget();
    assert.equal(await unwrap(), 1);
  });
});

describe('public keys', () => {
  it('are taken apart as OpenSSL does, and put together again', () => {
    for (const [name, { publicKey, publicObject }] of Object.entries(pairs)) {
      const jwk = publicJwk(publicKey);
      const expected = publicObject.export({ format: 'jwk' });
      assert.deepEqual({ ...jwk }, name === 'P-256K' ? { ...expected, crv: 'P-256K' } : { ...expected });
      assert.deepEqual(Buffer.from(spkiOf(jwk)), publicKey);
    }
  });
});

describe('curves', () => {
  for (const { name, openssl, p, a, n, x, y } of Object.values(curves)) {
    it(`have the parameters of OpenSSL: ${name}`, async () => {
      const { stdout } = await run('openssl', [
        'ecparam',
        '-name',
        openssl,
        '-param_enc',
        'explicit',
        '-text',
        '-noout',
      ]);
      const field = (label: string): bigint => {
        const digits = new RegExp(`^${label}:(.*(?:\\n +.*)*)`, 'm').exec(stdout)?.[1]?.replace(/[\s:]/g, '') ?? '';
        return BigInt(`0x${digits}`);
      };
      const { bytes } = curves[name];
      assert.deepEqual([field('Prime'), field('A'), field('Order ?')], [p, a, n]);
      const point = Buffer.concat([Buffer.of(4), fromInteger(x, bytes), fromInteger(y, bytes)]);
      assert.equal(field('Generator \\(uncompressed\\)'), toInteger(point));
    });
  }
});

describe('arithmetic that does not depend on its numbers', () => {
  for (const { name, n, bytes } of Object.values(curves)) {
    it(`agrees with BigInt modulo the order of ${name}`, () => {
      const modulus = new Modulus(n, bytes);
      const below = fc.oneof(
        fc.bigInt({ min: 0n, max: n - 1n }),
        fc.constantFrom(0n, 1n, n - 1n, n - 2n, (1n << BigInt(bytes * 8 - 8)) - 1n),
      );
      const number = below.map((value) => value % n);
      fc.assert(
        fc.property(number, number, (left, right) => {
          const [a, b] = [left, right].map((value) => modulus.enter(fromInteger(value, bytes)));
          assert.ok(a && b);
          assert.equal(toInteger(modulus.leave(modulus.multiply(a, b))), (left * right) % n);
          assert.equal(toInteger(modulus.leave(modulus.add(a, b))), (left + right) % n);
          if (left > 0n) assert.equal((publicInverse(fromInteger(left, bytes), n) * left) % n, 1n);
        }),
      );
    });
  }
});

describe('permits', () => {
  it('let a fixed number run at once, in order, and refuse when too many wait', async () => {
    const permits = new Permits(2, 3);
    let [running, most] = [0, 0];
    const order: number[] = [];
    const gates = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
    const all = gates.map((gate, index) =>
      permits.run(async () => {
        running += 1;
        most = Math.max(most, running);
        order.push(index);
        await gate.promise;
        running -= 1;
      }),
    );
    await assert.rejects(
      permits.run(async () => undefined),
      { code: 'KNK-KVT-0028' },
    );
    for (const gate of gates) gate.resolve();
    await Promise.all(all);
    assert.equal(most, 2);
    assert.deepEqual(order, [0, 1, 2, 3, 4]);
    await assert.rejects(
      permits.run(() => Promise.reject(new TypeError('failed'))),
      TypeError,
    );
    assert.equal(await permits.run(async () => 'free again'), 'free again');
  });
});
