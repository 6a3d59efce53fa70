import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fields, MemoryDataPlane, testVault } from '../testing/memory-data-plane.ts';
import { ScratchVault } from '../testing/scratch-vaults.ts';

/** What the embedded vault refuses, as Azure says it: the code, and the inner code that clients look at. */

const wrap = { alg: 'RSA-OAEP', value: 'AAAA' };
const sign = { alg: 'RS256', value: Buffer.alloc(32).toString('base64url') };
const ec = { kty: 'EC' };

type Step = readonly [method: string, path: string, body?: object];

const rows: readonly {
  readonly what: string;
  readonly before: readonly Step[];
  readonly call: Step;
  readonly purgeProtection?: boolean;
  readonly expected: readonly [status: number, code: string, inner: string | undefined];
}[] = [
  {
    what: 'a disabled key',
    before: [['POST', '/keys/k/create', { ...ec, attributes: { enabled: false } }]],
    call: ['POST', '/keys/k/sign', { alg: 'ES256', value: sign.value }],
    expected: [403, 'Forbidden', 'KeyDisabled'],
  },
  {
    what: 'an expired key',
    before: [['POST', '/keys/k/create', { kty: 'RSA', attributes: { exp: 1_000_000_000 } }]],
    call: ['POST', '/keys/k/wrapkey', wrap],
    expected: [403, 'Forbidden', 'KeyExpired'],
  },
  {
    what: 'a key that is not yet valid',
    before: [['POST', '/keys/k/create', { ...ec, attributes: { nbf: 9_000_000_000 } }]],
    call: ['POST', '/keys/k/sign', { alg: 'ES256', value: sign.value }],
    expected: [403, 'Forbidden', 'KeyNotYetValid'],
  },
  {
    what: 'an operation that is not in key_ops',
    before: [['POST', '/keys/k/create', { ...ec, key_ops: ['verify'] }]],
    call: ['POST', '/keys/k/sign', { alg: 'ES256', value: sign.value }],
    expected: [403, 'Forbidden', 'KeyOperationForbidden'],
  },
  {
    what: 'an algorithm of another kind of key',
    before: [['POST', '/keys/k/create', ec]],
    call: ['POST', '/keys/k/sign', sign],
    expected: [400, 'BadParameter', undefined],
  },
  {
    what: 'a disabled secret',
    before: [['PUT', '/secrets/s', { value: 'v', attributes: { enabled: false } }]],
    call: ['GET', '/secrets/s'],
    expected: [403, 'Forbidden', 'SecretDisabled'],
  },
  {
    what: 'the name of a deleted key',
    before: [
      ['POST', '/keys/k/create', ec],
      ['DELETE', '/keys/k'],
    ],
    call: ['POST', '/keys/K/create', ec],
    expected: [409, 'Conflict', 'ObjectIsDeletedButRecoverable'],
  },
  {
    what: 'the name of a deleted secret',
    before: [
      ['PUT', '/secrets/s', { value: 'v' }],
      ['DELETE', '/secrets/s'],
    ],
    call: ['PUT', '/secrets/s', { value: 'v' }],
    expected: [409, 'Conflict', 'ObjectIsDeletedButRecoverable'],
  },
  {
    what: 'a purge under purge protection',
    before: [
      ['PUT', '/secrets/s', { value: 'v' }],
      ['DELETE', '/secrets/s'],
    ],
    call: ['DELETE', '/deletedsecrets/s'],
    purgeProtection: true,
    expected: [403, 'Forbidden', 'ForbiddenByPolicy'],
  },
  {
    what: 'a version that there is not',
    before: [['PUT', '/secrets/s', { value: 'v' }]],
    call: ['GET', `/secrets/s/${'0'.repeat(32)}`],
    expected: [404, 'SecretNotFound', undefined],
  },
  {
    what: 'an HSM key where there is no HSM',
    before: [],
    call: ['POST', '/keys/k/create', { kty: 'RSA-HSM' }],
    expected: [400, 'BadParameter', undefined],
  },
  {
    what: 'a rotation policy that expires too soon',
    before: [['POST', '/keys/k/create', ec]],
    call: ['PUT', '/keys/k/rotationpolicy', { attributes: { expiryTime: 'P27D' } }],
    expected: [400, 'BadParameter', undefined],
  },
];

describe('the embedded vault refuses', () => {
  for (const { what, before, call, purgeProtection = false, expected } of rows) {
    it(`${what}: ${expected.filter(Boolean).join(' ')}`, async () => {
      await using scratch = await ScratchVault.make('kv1');
      const service = new MemoryDataPlane({ objects: () => scratch.vault });
      service.settings = { ...testVault, purgeProtection };
      for (const step of before) assert.equal((await service.send(...step)).status, 200);
      const { status, json, reply } = await service.send(...call);
      const error = fields(fields(json).error);
      const inner = error.innererror === undefined ? undefined : fields(error.innererror).code;
      assert.deepEqual([status, error.code, inner], expected);
      assert.equal(reply.failure, undefined);
    });
  }
});
