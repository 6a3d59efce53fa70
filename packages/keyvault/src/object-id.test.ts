import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isSameVersion, parseObjectId } from './object-id.ts';

const version = '0123456789abcdef0123456789abcdef';

describe('the id of a vault object', () => {
  it('is read with and without version, port, slash, in any case', () => {
    const read = (id: string): unknown => parseObjectId(id, 'secrets');
    const expected = { host: 'kv.example', collection: 'secrets', name: 'Name', version };
    assert.deepEqual(read(`https://kv.example/secrets/Name/${version}`), expected);
    assert.deepEqual(read(`HTTPS://KV.Example/SECRETS/Name/${version.toUpperCase()}/`), expected);
    assert.deepEqual(read('https://kv.example/secrets/Name'), { ...expected, version: null });
    assert.deepEqual(read('https://kv.example/secrets/Name/'), { ...expected, version: null });
    assert.deepEqual(read(`https://kv.example:8443/secrets/Name/${version}`), { ...expected, host: 'kv.example:8443' });
  });

  it('is not read from anything else', () => {
    const wrong = [
      '',
      'name',
      `http://kv.example/secrets/name/${version}`,
      `https://kv.example/keys/name/${version}`,
      `https://kv.example/secrets/name/${version}/more`,
      `https://kv.example/secrets/name/${version}?x=1`,
      `https://kv.example/secrets/name/${version.slice(1)}`,
      `https://user@kv.example/secrets/name/${version}`,
      'https://kv.example/secrets/na_me',
      'https://kv.example/secrets/',
      'https:///secrets/name',
      `https://kv.example/path/secrets/name/${version}`,
      `https://kv.example/secrets/${'x'.repeat(128)}`,
    ];
    for (const id of wrong) assert.equal(parseObjectId(id, 'secrets'), undefined, id);
  });

  it('is the same only for the same version of the same object', () => {
    const id = `https://kv.example/secrets/name/${version}`;
    assert.ok(isSameVersion(id, id.toUpperCase().replace('HTTPS', 'https'), 'secrets'));
    assert.ok(isSameVersion(id, id.replace('example', 'example:8443'), 'secrets'));
    assert.ok(isSameVersion(id.replace('example', 'example:443'), id.replace('example', 'example:8443'), 'secrets'));
    for (const other of [
      id.slice(0, -33),
      id.replace('name', 'eman'),
      id.replace('kv.', 'vk.'),
      id.replace('0123', '3210'),
      '',
    ]) {
      assert.equal(isSameVersion(id, other, 'secrets'), false, other);
    }
    const unversioned = 'https://kv.example/secrets/name';
    assert.equal(isSameVersion(unversioned, unversioned, 'secrets'), false);
  });
});
