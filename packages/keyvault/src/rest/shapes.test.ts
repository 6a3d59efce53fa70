import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { baseUrl, fields, MemoryDataPlane, testVault } from '../testing/memory-data-plane.ts';

const importedJwk = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });

describe('secrets', () => {
  for (const value of ['plain', 'a "quoted" \\ line\nnext\ttab\u0000\u001f', '日本語 🔑 é', '', '{"value":"nested"}']) {
    it(`${JSON.stringify(value)} comes back as it went`, async () => {
      const service = new MemoryDataPlane();
      const units = Array.from({ length: value.length }, (_, at) => value.charCodeAt(at).toString(16));
      const escaped = units.map((unit) => `\\u${unit.padStart(4, '0')}`).join('');
      for (const body of [JSON.stringify({ value }), `{"value":"${escaped}"}`]) {
        const set = await service.send('PUT', '/secrets/s', body);
        const got = await service.send('GET', '/secrets/s/');
        assert.deepEqual(got.json, set.json);
        assert.equal(fields(got.json).value, value);
      }
    });
  }

  it('have the shape of Azure, with the recovery level of the vault', async () => {
    const service = new MemoryDataPlane();
    const seconds = service.time / 1000;
    const levels = [
      [90, false, 'Recoverable+Purgeable'],
      [90, true, 'Recoverable'],
      [7, false, 'CustomizedRecoverable+Purgeable'],
      [89, true, 'CustomizedRecoverable'],
    ] as const;
    for (const [softDeleteRetentionDays, purgeProtection, recoveryLevel] of levels) {
      service.settings = { ...testVault, softDeleteRetentionDays, purgeProtection };
      const body = { value: 'v', contentType: 'text/plain', attributes: { nbf: 5, exp: 6 }, tags: { a: 'b' } };
      const set = await service.send('PUT', '/secrets/S1', body);
      const { id } = fields(set.json);
      assert.match(String(id), /^https:\/\/kv1\.vault\.localhost:8443\/secrets\/S1\/[0-9a-f]{32}$/);
      const stamps = { enabled: true, nbf: 5, exp: 6, created: seconds, updated: seconds };
      const attributes = { ...stamps, recoveryLevel, recoverableDays: softDeleteRetentionDays };
      const rest = { contentType: 'text/plain', attributes, tags: { a: 'b' } };
      assert.deepEqual(set.json, { id, ...rest, value: 'v' });
      assert.equal(set.headers['content-type'], 'application/json; charset=utf-8');
      const list = fields((await service.send('GET', '/secrets')).json);
      assert.deepEqual(list, { value: [{ id: `${baseUrl}/secrets/S1`, ...rest }], nextLink: null });
    }
    const deleted = fields((await service.send('DELETE', '/secrets/S1')).json);
    assert.equal(deleted.recoveryId, `${baseUrl}/deletedsecrets/S1`);
    assert.equal(deleted.deletedDate, seconds);
    assert.equal(deleted.scheduledPurgeDate, seconds + 89 * 86_400);
    assert.equal('value' in deleted, false);
    const again = await service.send('PUT', '/secrets/s1', { value: 'v' });
    assert.equal(again.status, 409);
    assert.match(again.text, /"code":"Conflict".*"innererror":\{"code":"ObjectIsDeletedButRecoverable"\}/);
    const purge = await service.send('DELETE', '/deletedsecrets/S1');
    assert.equal(purge.status, 403);
    assert.match(purge.text, /ForbiddenByPolicy/);
    service.settings = testVault;
    const purged = await service.send('DELETE', '/deletedsecrets/S1');
    assert.deepEqual([purged.status, purged.text, 'content-type' in purged.headers], [204, '', false]);
  });

  it('that are disabled are 403 SecretDisabled', async () => {
    const service = new MemoryDataPlane();
    await service.send('PUT', '/secrets/s', { value: 'v', attributes: { enabled: false } });
    const answer = await service.send('GET', '/secrets/s');
    assert.deepEqual(answer.json, {
      error: {
        code: 'Forbidden',
        message: 'Operation get is not allowed on a disabled secret.',
        innererror: { code: 'SecretDisabled' },
      },
    });
    assert.equal(answer.status, 403);
  });

  it('are listed in pages that follow each other', async () => {
    const service = new MemoryDataPlane();
    for (let at = 0; at < 7; at += 1) await service.send('PUT', `/secrets/s${at}`, { value: 'v' });
    const names: string[] = [];
    let target: string | null = '/secrets?api-version=7.4&maxresults=3';
    while (target !== null) {
      const page = fields((await service.send('GET', target)).json);
      const items = page.value as { id: string }[];
      assert.ok(items.length <= 3);
      names.push(...items.map(({ id }) => id.slice(`${baseUrl}/secrets/`.length)));
      const link = page.nextLink as string | null;
      assert.ok(link === null || link.startsWith(`${baseUrl}/secrets?`));
      target = link === null ? null : link.slice(baseUrl.length);
    }
    assert.deepEqual(names, ['s0', 's1', 's2', 's3', 's4', 's5', 's6']);
  });
});

describe('keys', () => {
  it('have the shape of Azure and never a private part', async () => {
    const service = new MemoryDataPlane();
    for (const [kty, members] of [
      ['RSA', ['kid', 'kty', 'key_ops', 'n', 'e']],
      ['EC', ['kid', 'kty', 'key_ops', 'crv', 'x', 'y']],
      ['RSA-HSM', ['kid', 'kty', 'key_ops', 'n', 'e']],
    ] as const) {
      const made = fields((await service.send('POST', `/keys/${kty}/create`, { kty })).json);
      assert.deepEqual(Object.keys(fields(made.key)), members);
      assert.equal(fields(made.key).kty, kty);
      assert.deepEqual(Object.keys(made), ['key', 'attributes']);
    }
    const imported = await service.send('PUT', '/keys/imported', { key: { ...importedJwk, key_ops: ['sign'] } });
    assert.deepEqual(fields(fields(imported.json).key).key_ops, ['sign']);
    assert.ok(!imported.text.includes(String(importedJwk.d)));
    assert.equal(fields(fields(imported.json).key).n, importedJwk.n);
  });

  const outside: [attributes: object, inner: string][] = [
    [{ enabled: false }, 'KeyDisabled'],
    [{ exp: 1 }, 'KeyExpired'],
    [{ nbf: 4_000_000_000 }, 'KeyNotYetValid'],
  ];
  for (const [attributes, inner] of outside) {
    it(`with ${JSON.stringify(attributes)} are 403 ${inner}`, async () => {
      const service = new MemoryDataPlane();
      await service.send('POST', '/keys/k/create', { kty: 'RSA', attributes });
      const answer = await service.send('POST', '/keys/k/wrapkey', { alg: 'RSA-OAEP', value: 'AAAA' });
      assert.equal(answer.status, 403);
      assert.equal(fields(fields(fields(answer.json).error).innererror).code, inner);
    });
  }

  it('refuse what is not in key_ops, and are never released', async () => {
    const service = new MemoryDataPlane();
    await service.send('POST', '/keys/k/create', { kty: 'RSA', key_ops: ['sign', 'sign'] });
    const wrap = await service.send('POST', '/keys/k/wrapkey', { alg: 'RSA-OAEP', value: 'AAAA' });
    assert.equal(wrap.status, 403);
    assert.match(wrap.text, /Operation wrapKey is not permitted on this key\..*KeyOperationForbidden/);
    assert.equal((await service.send('POST', '/keys/k/release', { target: 't' })).status, 403);
    assert.equal((await service.send('POST', '/keys/none/release', { target: 't' })).status, 404);
  });

  it('say no more of a wrong ciphertext than that it is wrong', async () => {
    const service = new MemoryDataPlane();
    await service.send('POST', '/keys/k/create', { kty: 'RSA' });
    const texts = new Set<string>();
    for (const value of [
      '',
      'AAAA',
      Buffer.alloc(256, 1).toString('base64url'),
      Buffer.alloc(256, 255).toString('base64url'),
    ]) {
      const answer = await service.send('POST', '/keys/k/decrypt', { alg: 'RSA-OAEP', value });
      assert.equal(answer.status, 400);
      texts.add(answer.text);
    }
    assert.equal(texts.size, 1);
  });

  it('random bytes are as many as were asked for', async () => {
    const service = new MemoryDataPlane();
    const answer = fields((await service.send('POST', '/rng', { count: 128 })).json);
    assert.equal(Buffer.from(String(answer.value), 'base64url').length, 128);
  });
});
