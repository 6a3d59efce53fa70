import assert from 'node:assert/strict';
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { parseJson } from './json-value/parse.ts';
import { jwkBytes, readPrivateJwk } from './private-jwk.ts';
import { Refusal } from './refusal.ts';

type Jwk = Record<string, unknown>;

async function read(jwk: Jwk): Promise<{ der: Buffer; isHardwareKind: boolean }> {
  using parsed = parseJson(Buffer.from(JSON.stringify(jwk)), jwkBytes);
  assert.ok(parsed?.root instanceof Map);
  const { privateKey, isHardwareKind } = await readPrivateJwk(parsed.root);
  using key = privateKey;
  return { der: Buffer.from(key.bytes), isHardwareKind };
}

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }) as Jwk;
const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }) as Jwk;
const curves = { 'P-256': 'P-256', 'P-384': 'P-384', 'P-521': 'P-521', 'P-256K': 'secp256k1' };
const ecKeys = Object.entries(curves).map(([crv, namedCurve]) => ({
  ...(generateKeyPairSync('ec', { namedCurve }).privateKey.export({ format: 'jwk' }) as Jwk),
  crv,
}));
const ec = ecKeys[0] as Jwk;

describe('a private key from its JWK', () => {
  for (const [what, jwk, nodeJwk] of [
    ['RSA', rsa, rsa],
    ...ecKeys.map((key) => [key.crv, key, { ...key, crv: key.crv === 'P-256K' ? 'secp256k1' : key.crv }] as const),
  ] as [string, Jwk, Jwk][]) {
    it(`${what} is the key that Node makes of it`, async () => {
      const { der } = await read(jwk);
      const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
      assert.ok(key.equals(createPrivateKey({ key: nodeJwk as never, format: 'jwk' })));
    });
  }

  it('takes numbers with leading zeros, and the kinds that mean an HSM', async () => {
    const padded = Buffer.concat([Buffer.alloc(1), Buffer.from(String(rsa.d), 'base64url')]).toString('base64url');
    assert.deepEqual((await read({ ...rsa, d: padded })).der, (await read(rsa)).der);
    assert.equal((await read({ ...rsa, kty: 'RSA-HSM' })).isHardwareKind, true);
    assert.equal((await read(rsa)).isHardwareKind, false);
  });

  const refused: Record<string, Jwk> = {
    'without its kind': { ...rsa, kty: undefined },
    'of the kind oct': { kty: 'oct', k: 'AAAA' },
    'without a prime': { ...rsa, p: undefined },
    'that is public only': { kty: 'RSA', n: rsa.n, e: rsa.e },
    'that is not base64url': { ...rsa, d: '+++' },
    'with a number for a member': { ...rsa, d: 12 },
    'with a list for a member': { ...rsa, d: ['AA'] },
    'with an empty member': { ...rsa, q: '' },
    'with a huge member': { ...rsa, n: 'A'.repeat(2000) },
    'of 1024 bits': generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({ format: 'jwk' }) as Jwk,
    'with another exponent': generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicExponent: 3,
    }).privateKey.export({ format: 'jwk' }) as Jwk,
    'with the modulus of another': { ...rsa, n: other.n },
    'with a prime of another': { ...rsa, p: other.p },
    'with both primes of another': { ...rsa, p: other.p, q: other.q },
    'with the exponent of another': { ...rsa, d: other.d },
    'with a CRT exponent of another': { ...rsa, dp: other.dp },
    'with a coefficient of another': { ...rsa, qi: other.qi },
    'on an unknown curve': { ...ec, crv: 'P-224' },
    'with the point of another': { ...ec, x: ec.y, y: ec.x },
    'without a point': { ...ec, x: undefined },
    'with a scalar of zero': { ...ec, d: Buffer.alloc(32).toString('base64url') },
    'with a scalar beyond the order': { ...ec, d: Buffer.alloc(32, 0xff).toString('base64url') },
    'with a scalar too long': { ...ec, d: Buffer.alloc(33, 1).toString('base64url') },
  };
  for (const [what, jwk] of Object.entries(refused)) {
    it(`refuses one ${what}`, async () => {
      await assert.rejects(read(jwk), (error) => error instanceof Refusal && error.status === 400);
    });
  }
});
