import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { KannukiError } from '@kannuki/core';
import type { VaultObjects } from '../service/vault-objects.ts';
import { baseUrl, fields, MemoryDataPlane, testCaller } from '../testing/memory-data-plane.ts';
import { routes } from './routes.ts';

const version = /^[0-9a-f]{32}$/;
const importedJwk = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });

/** A body that each route takes, so that what is refused is not the body. */
const bodies: Readonly<Record<string, object>> = {
  KeyCreate: { kty: 'RSA' },
  KeyImport: { key: importedJwk },
  SecretSet: { value: 'v' },
  KeyRestore: { value: 'AAAA' },
  SecretRestore: { value: 'AAAA' },
  RandomBytesGet: { count: 8 },
  KeyRotationPolicySet: { lifetimeActions: [] },
  KeySign: { alg: 'RS256', value: Buffer.alloc(32).toString('base64url') },
  KeyVerify: { alg: 'RS256', digest: Buffer.alloc(32).toString('base64url'), value: 'AAAA' },
};

function bodyFor(operation: string): object {
  return bodies[operation] ?? { alg: 'RSA-OAEP', value: 'AAAA' };
}

function pathFor(pattern: string, name: string): string {
  return `/${pattern.replace('{n}', name).replace('{v}', 'a'.repeat(32))}`;
}

describe('every route', () => {
  for (const { method, pattern, operation, action, makes } of routes) {
    it(`${method} ${pattern} needs ${action}, and a refusal does not tell what is there`, async () => {
      const service = new MemoryDataPlane();
      await service.send('POST', '/keys/there/create', { kty: 'RSA' });
      await service.send('PUT', '/secrets/there', { value: 'v' });
      service.permits = (wanted) => wanted !== action;
      const lookups = service.objects.lookups;
      const refusals = [];
      for (const name of ['there', 'other']) {
        const answer = await service.send(method, pathFor(pattern, name), bodyFor(operation));
        assert.equal(answer.status, 403);
        assert.match(answer.text, /"code":"Forbidden".*"innererror":\{"code":"AccessDenied"\}/);
        refusals.push(answer.text);
        const record = service.records.at(-1);
        assert.deepEqual([record?.operation, record?.status, record?.error], [operation, 403, 'Forbidden']);
      }
      assert.equal(refusals[0], refusals[1]);
      assert.equal(service.objects.lookups, lookups, 'nothing was looked for');

      service.permits = (wanted) => wanted === action;
      const before = service.records.length;
      const answer = await service.send(method, pathFor(pattern, 'other'), bodyFor(operation));
      assert.ok([200, 400, 404].includes(answer.status), answer.text);
      if (makes !== null && operation !== 'KeyRotate') assert.equal(answer.status, 200, answer.text);
      assert.equal(service.records.length, before + 1);

      service.admits = false;
      const outside = await service.send(method, pathFor(pattern, 'there'), bodyFor(operation));
      assert.equal(outside.status, 403);
      assert.match(
        outside.text,
        /Client address \(192\.0\.2\.7\) is not authorized and caller is not a trusted service/,
      );
    });
  }

  it('is known by its path and method only once', () => {
    const ids = routes.map(({ method, pattern }) => `${method} ${pattern}`);
    assert.equal(new Set(ids).size, ids.length);
  });
});

describe('paths', () => {
  it('do not mind letter case, a slash at the end, an empty version or percent signs', async () => {
    const service = new MemoryDataPlane();
    const plain = Buffer.from('volume passphrase').toString('base64url');
    const made = await service.send('POST', '/KEYS/Kek-1/Create/', { kty: 'RSA' });
    assert.equal(made.status, 200, made.text);
    const wrapped = await service.send('POST', '/keys/kek%2D1/WrapKey', { alg: 'RSA-OAEP', value: plain });
    const { kid, value } = fields(wrapped.json);
    for (const path of [
      '/keys/kek-1/unwrapkey',
      '/keys/KEK-1//UNWRAPKEY/',
      `${new URL(String(kid)).pathname}/unwrapkey`,
    ]) {
      const answer = await service.send('POST', path, { alg: 'RSA-OAEP', value });
      assert.deepEqual(answer.json, { kid, value: plain }, path);
    }
    for (const path of ['/keys/kek-1', '/keys/kek-1/', '/keys/kek-1//', '/Keys/KEK-1']) {
      assert.equal(fields(fields((await service.send('GET', path)).json).key).kid, kid, path);
    }
    const spelt = await service.send('GET', '/keys/kek-1?api%2Dversion=2025-07-01&x=y');
    assert.equal(spelt.status, 200);
  });

  const wrong: [method: string, target: string, status: number, code: string][] = [
    ['GET', '/', 404, 'NotFound'],
    ['GET', '', 404, 'NotFound'],
    ['GET', '/certificates', 404, 'NotFound'],
    ['GET', '/keys/a/b/c/d', 404, 'NotFound'],
    ['POST', '/keys/a/versions/sign', 404, 'NotFound'],
    ['GET', `/keys/a/${'b'.repeat(32)}/attestation`, 404, 'NotFound'],
    ['GET', `/keys/${'a'.repeat(5000)}`, 404, 'NotFound'],
    ['DELETE', '/keys', 405, 'MethodNotAllowed'],
    ['GET', '/keys/a/create', 405, 'MethodNotAllowed'],
    ['DELETE', `/keys/a/${'b'.repeat(32)}`, 405, 'MethodNotAllowed'],
    ['BREW', '/secrets/a', 405, 'MethodNotAllowed'],
    ['GET', `/keys/${'a'.repeat(128)}`, 400, 'BadParameter'],
    ['GET', '/keys/a_b', 400, 'BadParameter'],
    ['GET', '/keys/__proto__', 400, 'BadParameter'],
    ['GET', '/keys/a%2fb', 400, 'BadParameter'],
    ['GET', '/keys/%ff', 400, 'BadParameter'],
    ['GET', '/keys/%', 400, 'BadParameter'],
    ['GET', '/keys/a/notaversion', 404, 'KeyNotFound'],
    ['GET', '/secrets/a/notaversion', 404, 'SecretNotFound'],
    ['GET', '/secrets/a', 404, 'SecretNotFound'],
    ['GET', '/deletedsecrets/a', 404, 'SecretNotFound'],
    ['GET', '/keys?', 400, 'BadParameter'],
    ['GET', '/keys?api-version=', 400, 'BadParameter'],
    ['GET', '/keys?api-version=7.4%0d%0ax:y', 400, 'BadParameter'],
    ['GET', '/keys?api-version=%ff', 400, 'BadParameter'],
    ['GET', '/keys?api-version=7.4&maxresults=0', 400, 'BadParameter'],
    ['GET', '/keys?api-version=7.4&maxresults=26', 400, 'BadParameter'],
    ['GET', '/keys?api-version=7.4&maxresults=1e1', 400, 'BadParameter'],
    ['GET', '/keys?api-version=7.4&$skiptoken=;;', 400, 'BadParameter'],
    ['GET', '/keys?api-version=7.4&$skiptoken=bm90b25l', 400, 'BadParameter'],
    ['GET', `/keys?api-version=7.4&x=${'y'.repeat(9000)}`, 400, 'BadParameter'],
  ];
  for (const [method, target, status, code] of wrong) {
    it(`${method} ${target.slice(0, 60)} is ${status} ${code}, and audited`, async () => {
      const service = new MemoryDataPlane();
      const answer = await service.send(method, target);
      assert.equal(answer.status, status, answer.text);
      assert.equal(fields(fields(answer.json).error).code, code);
      assert.deepEqual(
        service.records.map((record) => [record.status, record.error, record.vault]),
        [[status, code, 'kv1']],
      );
    });
  }

  it('a vault that is not there is 404', async () => {
    const service = new MemoryDataPlane();
    const answer = await service.send('GET', '/keys', '', 'x'.repeat(5000));
    assert.equal(answer.status, 404);
    assert.match(answer.text, /VaultNotFound/);
    assert.equal(service.records[0]?.vault.length, 127);
  });
});

describe('the audit log', () => {
  it('has one record of each call, with the version that was used', async () => {
    const service = new MemoryDataPlane();
    const made = fields(fields((await service.send('POST', '/keys/Kek/create', { kty: 'RSA' })).json).key);
    const keyVersion = String(made.kid).split('/').at(-1) ?? '';
    assert.match(keyVersion, version);
    await service.send('POST', '/keys/KEK/unwrapkey', { alg: 'RSA-OAEP', value: 'AAAA' });
    await service.send('GET', '/keys/kek');
    await service.send('GET', `/secrets/none/${'A'.repeat(32)}`);
    await service.send('GET', '/keys');
    assert.deepEqual(
      service.records.map(({ operation, object, status, error }) => [operation, object, status, error]),
      [
        ['KeyCreate', `keys/Kek/${keyVersion}`, 200, null],
        ['KeyUnwrap', 'keys/KEK', 400, 'BadParameter'],
        ['KeyGet', `keys/Kek/${keyVersion}`, 200, null],
        ['SecretGet', `secrets/none/${'a'.repeat(32)}`, 404, 'SecretNotFound'],
        ['KeyList', null, 200, null],
      ],
    );
    const [first] = service.records;
    assert.deepEqual(
      { ...first, operation: '', object: '', status: 0, error: null },
      {
        time: service.time,
        requestId: 'request-1',
        operation: '',
        vault: 'kv1',
        object: '',
        objectId: 'oid-1',
        applicationId: 'app-1',
        address: '192.0.2.7',
        status: 0,
        error: null,
      },
    );
  });

  it('that cannot be written keeps the answer back, and the value is wiped', async (context) => {
    const service = new MemoryDataPlane();
    await service.send('PUT', '/secrets/s', { value: 'canary-value' });
    service.auditFailure = new Error('disk full');
    const allocations = context.mock.method(Buffer, 'alloc').mock;
    const answer = await service.send('GET', '/secrets/s');
    assert.equal(answer.status, 500);
    assert.match(answer.text, /InternalServerError/);
    assert.equal(answer.reply.failure, service.auditFailure);
    const { calls } = allocations;
    assert.equal(calls.length, 2, 'the answer that was kept back, and the one that left');
    assert.ok(calls[0]?.result?.every((byte) => byte === 0));
  });

  it('holds no value, nor do errors: a canary is nowhere', async () => {
    const service = new MemoryDataPlane();
    const canary = 'c4n4ry';
    const tries: [string, string, string][] = [
      ['PUT', '/secrets/s', `{"value":"${canary}","attributes":{"enabled":"${canary}"}}`],
      ['PUT', '/secrets/s', `{"value":["${canary}"]}`],
      ['PUT', '/secrets/s', `{"value":"${canary}`],
      ['PUT', '/keys/k', `{"key":{"kty":"${canary}","d":"${canary}"}}`],
      ['POST', '/keys/k/encrypt', `{"alg":"${canary}","value":"${canary}"}`],
      ['POST', '/secrets/restore', `{"value":"${canary}!"}`],
    ];
    for (const [method, path, body] of tries) {
      const answer = await service.send(method, path, body);
      assert.ok(answer.status >= 400 && answer.status < 500, answer.text);
      assert.ok(!answer.text.includes(canary), answer.text);
    }
    await service.send('PUT', '/secrets/s', `{"value":"${canary}"}`);
    assert.ok(!JSON.stringify(service.records).includes(canary));
  });
});

describe('what goes wrong inside', () => {
  const failing = (error: unknown): VaultObjects => {
    const reject = (): Promise<never> => Promise.reject(error);
    const all = new Proxy({}, { get: () => reject });
    return { keys: all, secrets: all } as VaultObjects;
  };

  it('is 503 while the vaults are sealed, and 500 without a word else', async () => {
    const damaged = new KannukiError('KNK-KVT-0010', { details: { object: 'secrets/s' } });
    for (const [error, status] of [
      [new KannukiError('KNK-KVT-0027'), 503],
      [damaged, 500],
      [new TypeError('c4n4ry'), 500],
    ] as const) {
      const service = new MemoryDataPlane({ objects: () => failing(error) });
      const answer = await service.send('GET', '/secrets/s');
      assert.equal(answer.status, status);
      assert.equal(answer.reply.failure, error);
      assert.ok(!/c4n4ry|damaged/.test(answer.text));
      assert.equal(service.records[0]?.status, status);
    }
  });

  it('the body of the request is wiped, however it ended', async () => {
    const service = new MemoryDataPlane();
    for (const path of ['/secrets/s', '/nothing']) {
      const body = Buffer.from('{"value":"v"}');
      await service.plane.handle({
        method: 'PUT',
        vaultName: 'kv1',
        baseUrl,
        path,
        query: 'api-version=7.4',
        body,
        caller: testCaller,
        requestId: 'r',
      });
      assert.ok(body.every((byte) => byte === 0));
    }
  });
});
