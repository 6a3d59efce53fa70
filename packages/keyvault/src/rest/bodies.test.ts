import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { fields, MemoryDataPlane, testVault } from '../testing/memory-data-plane.ts';
import { restoreLimit } from './backups.ts';
import { bodyLimitFor } from './data-plane.ts';
import { bodyLimit } from './routes.ts';

const importedJwk = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });

describe('bodies', () => {
  const none = '';
  const bad: [target: string, body: object | string, member: RegExp][] = [
    ['POST /keys/k/create', none, /body/],
    ['POST /keys/k/create', '[]', /body/],
    ['POST /keys/k/create', '{"kty":"RSA"', /JSON/],
    ['POST /keys/k/create', {}, /kty/],
    ['POST /keys/k/create', { kty: 'oct' }, /kty/],
    ['POST /keys/k/create', { kty: 'oct-HSM' }, /kty/],
    ['POST /keys/k/create', { kty: ['RSA'] }, /kty/],
    ['POST /keys/k/create', { kty: 'RSA', key_size: 1024 }, /key_size/],
    ['POST /keys/k/create', { kty: 'RSA', key_size: '2048' }, /key_size/],
    ['POST /keys/k/create', { kty: 'RSA', public_exponent: 3 }, /public_exponent/],
    ['POST /keys/k/create', { kty: 'EC', crv: 'P-224' }, /crv/],
    ['POST /keys/k/create', { kty: 'RSA', key_ops: ['fly'] }, /key_ops/],
    ['POST /keys/k/create', { kty: 'RSA', key_ops: 'sign' }, /key_ops/],
    ['POST /keys/k/create', { kty: 'RSA', attributes: 1 }, /attributes/],
    ['POST /keys/k/create', { kty: 'RSA', attributes: { enabled: 'yes' } }, /enabled/],
    ['POST /keys/k/create', { kty: 'RSA', attributes: { exp: 1.5 } }, /exp/],
    ['POST /keys/k/create', { kty: 'RSA', attributes: { nbf: -1 } }, /nbf/],
    ['POST /keys/k/create', { kty: 'RSA', attributes: { exportable: true } }, /exportable/],
    ['POST /keys/k/create', { kty: 'RSA', release_policy: { data: 'AA' } }, /exportable/],
    ['POST /keys/k/create', { kty: 'RSA', tags: ['a'] }, /tags/],
    ['POST /keys/k/create', { kty: 'RSA', tags: { a: 1 } }, /tags/],
    ['POST /keys/k/create', { kty: 'RSA', tags: { a: 'x'.repeat(257) } }, /tags/],
    [
      'POST /keys/k/create',
      { kty: 'RSA', tags: Object.fromEntries(Array.from({ length: 16 }, (_, at) => [`t${at}`, 'x'])) },
      /tags/,
    ],
    ['PUT /keys/k', {}, /key/],
    ['PUT /keys/k', { key: 'text' }, /key/],
    ['PUT /keys/k', { key: { kty: 'RSA' } }, /n/],
    ['PUT /keys/k', { key: importedJwk, Hsm: 'yes' }, /Hsm/],
    ['PATCH /keys/there', { attributes: { enabled: 0 } }, /enabled/],
    ['POST /keys/there/encrypt', { value: 'AAAA' }, /alg/],
    ['POST /keys/there/encrypt', { alg: 'A256GCM', value: 'AAAA' }, /alg/],
    ['POST /keys/there/encrypt', { alg: 'RSA-OAEP' }, /value/],
    ['POST /keys/there/encrypt', { alg: 'RSA-OAEP', value: 1 }, /value/],
    ['POST /keys/there/encrypt', { alg: 'RSA-OAEP', value: '+/+/' }, /value/],
    ['POST /keys/there/encrypt', { alg: 'RSA-OAEP', value: 'A'.repeat(20_000) }, /value/],
    ['POST /keys/there/unwrapkey', { alg: 'RSA-OAEP', value: 'AAAA' }, /unwrapKey/],
    ['POST /keys/there/sign', { alg: 'PS384', value: 'AAAA' }, /digest of 48 bytes/],
    ['POST /keys/there/verify', { alg: 'RS256', value: 'AAAA' }, /digest/],
    ['PUT /keys/there/rotationpolicy', { lifetimeActions: [1] }, /lifetimeActions/],
    ['PUT /keys/there/rotationpolicy', { lifetimeActions: [{ trigger: {}, action: { type: 'Rotate' } }] }, /trigger/],
    ['PUT /keys/there/rotationpolicy', policyWith({ timeAfterCreate: 'P30D' }, 'Explode'), /type/],
    ['PUT /keys/there/rotationpolicy', policyWith({ timeAfterCreate: '30 days' }, 'rotate'), /timeAfterCreate/],
    ['POST /keys/restore', { value: 'not base64url!' }, /value/],
    ['POST /keys/restore', { value: 'AAAA' }, /backup/],
    ['POST /secrets/restore', {}, /value/],
    ['POST /rng', {}, /count/],
    ['POST /rng', { count: 129 }, /count/],
    ['PUT /secrets/s', {}, /value/],
    ['PUT /secrets/s', { value: null }, /value/],
    ['PUT /secrets/s', { value: ['v'] }, /value/],
    ['PUT /secrets/s', '{"value":"\\ud800"}', /JSON/],
    ['PUT /secrets/s', { value: 'v'.repeat(25 * 1024 + 1) }, /value/],
    ['PUT /secrets/s', { value: 'v', contentType: 'c'.repeat(256) }, /contentType/],
    ['PUT /secrets/s', { value: 'v', tags: { '': 'x' } }, /tags/],
  ];
  for (const [target, body, message] of bad) {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    it(`${target} ${text.slice(0, 70)} is BadParameter and names what`, async () => {
      const service = new MemoryDataPlane();
      await service.send('POST', '/keys/there/create', { kty: 'RSA' });
      const [method = '', path = ''] = target.split(' ');
      const answer = await service.send(method, path, body);
      assert.equal(answer.status, 400, answer.text);
      const error = fields(fields(answer.json).error);
      assert.equal(error.code, 'BadParameter');
      assert.match(String(error.message), message);
    });
  }

  it('have limits: 64 KiB, and what a big backup needs for a restore', async () => {
    const service = new MemoryDataPlane();
    const ofSize = (size: number): Buffer => {
      const body = Buffer.alloc(size, 0x20);
      body.write('{"kty":"RSA","value":"v"}');
      return body;
    };
    for (const [target, limit] of [
      ['PUT /secrets/s', bodyLimit],
      ['POST /keys/k/create', bodyLimit],
      ['POST /secrets/restore', restoreLimit],
    ] as const) {
      const [method = '', path = ''] = target.split(' ');
      assert.equal(bodyLimitFor(method, path), limit, target);
      assert.notEqual((await service.send(method, path, ofSize(limit))).status, 413, target);
      assert.equal((await service.send(method, path, ofSize(limit + 1))).status, 413, target);
    }
    for (const path of ['/nothing', '/keys/%', '/keys/k/restore', '/keys'])
      assert.equal(bodyLimitFor('POST', path), bodyLimit);
    const long = await service.send('POST', '/secrets/restore', { value: 'A'.repeat(4_000_000) });
    assert.match(long.text, /backup/);
  });

  it('a backup that is too large for a restore is not handed out', async () => {
    const service = new MemoryDataPlane();
    const { secrets, keys } = service.objects;
    for (const [size, status] of [
      [(restoreLimit * 3) / 4 - 1024, 200],
      [(restoreLimit * 3) / 4, 400],
    ] as const) {
      const objects = { keys, secrets: { ...secrets, backup: async () => Buffer.alloc(size) } };
      const other = new MemoryDataPlane({ objects: () => objects });
      const { text, json, status: found } = await other.send('POST', '/secrets/s/backup');
      assert.equal(found, status, text.slice(0, 200));
      if (status === 200) assert.match((await service.send('POST', '/secrets/restore', fields(json))).text, /backup/);
    }
  });

  it('may hold members that nobody knows, and one called __proto__', async () => {
    const service = new MemoryDataPlane();
    const text =
      '{"value":"v","__proto__":{"enabled":false},"tags":{"__proto__":"t"},"attributes":{"__proto__":{"exp":1}},"x":[1]}';
    const answer = await service.send('PUT', '/secrets/s', text);
    assert.equal(answer.status, 200, answer.text);
    assert.match(answer.text, /"tags":\{"__proto__":"t"\}/);
    assert.equal(fields(fields(answer.json).attributes).enabled, true);
    assert.equal('t' in {}, false);
  });

  it('HSM keys need a premium vault', async () => {
    const service = new MemoryDataPlane();
    service.settings = { ...testVault, sku: 'standard' };
    for (const [method, path, body] of [
      ['POST', '/keys/k/create', { kty: 'RSA-HSM' }],
      ['POST', '/keys/k/create', { kty: 'EC-HSM' }],
      ['PUT', '/keys/k', { key: importedJwk, Hsm: true }],
      ['PUT', '/keys/k', { key: { ...importedJwk, kty: 'RSA-HSM' } }],
    ] as const) {
      const answer = await service.send(method, path, body);
      assert.equal(answer.status, 400);
      assert.match(answer.text, /premium/);
    }
  });
});

function policyWith(trigger: object, type: string): object {
  return { lifetimeActions: [{ trigger, action: { type } }] };
}
