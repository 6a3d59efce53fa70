import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { volumeName } from './volume-name.ts';

test('names are short, need no escaping, and differ for different mount points', () => {
  assert.equal(volumeName('/data0'), 'kn_data0');
  assert.equal(volumeName('/srv/db'), 'kn_srv_db');
  assert.notEqual(volumeName('/srv_db'), volumeName('/srv/db'));
  const path = fc.array(
    fc.string({ minLength: 1, maxLength: 30 }).filter((part) => !/[/\0]/.test(part)),
    { minLength: 1, maxLength: 4 },
  );
  fc.assert(
    fc.property(path, path, (one, other) => {
      const [a, b] = [`/${one.join('/')}`, `/${other.join('/')}`];
      assert.match(volumeName(a), /^kn_[A-Za-z0-9_]{1,45}$/);
      assert.equal(volumeName(a) === volumeName(b), a === b);
    }),
  );
});
