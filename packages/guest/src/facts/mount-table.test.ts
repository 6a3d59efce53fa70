import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { isInside, mountAt, parseMountTable, readMounts, unescapeOctal } from './mount-table.ts';

const table = String.raw`22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro
36 22 8:33 /sub /mnt/my\040data\134x rw,noatime shared:7 master:2 propagate_from:3 - xfs /dev/disk\040x ro
40 22 0:50 / /proc rw - proc proc rw
broken line
41 22 x:1 / /bad rw - ext4 /dev/x rw
`;

test('a mountinfo file: escapes, optional fields, lines of another form left out', () => {
  const mounts = parseMountTable(table);
  assert.deepEqual(
    mounts.map(({ id, point }) => [id, point]),
    [
      [22, '/'],
      [36, '/mnt/my data\\x'],
      [40, '/proc'],
    ],
  );
  assert.deepEqual(mounts[1], {
    id: 36,
    parentId: 22,
    number: '8:33',
    root: '/sub',
    point: '/mnt/my data\\x',
    options: ['rw', 'noatime', 'ro'],
    fileSystem: 'xfs',
    source: '/dev/disk x',
    sharedGroup: 7,
    masterGroup: 2,
  });
});

test('the mount of a path is the deepest, and of several at one place the last', () => {
  const [root, data] = parseMountTable(table);
  assert.ok(root && data);
  const a = { ...data, point: '/data' };
  const b = { ...data, point: '/data', id: 50 };
  const inner = { ...data, point: '/data/inner' };
  assert.equal(mountAt([root, a, inner, b], '/data/x'), b);
  assert.equal(mountAt([root, a, inner], '/data/inner/y'), inner);
  assert.equal(mountAt([root, a], '/database'), root);
  assert.equal(mountAt([], '/x'), undefined);
});

test('inside means the folder itself or below it', () => {
  assert.deepEqual(
    [isInside('/a', '/a'), isInside('/a/b', '/a'), isInside('/ab', '/a'), isInside('/x', '/')],
    [true, true, false, true],
  );
});

test('the table of this machine has its root, with the device that stat says', async () => {
  const mounts = await readMounts({ root: '/' });
  assert.equal(mounts.filter(({ point }) => point === '/').length >= 1, true);
  assert.equal(mounts.length, readFileSync('/proc/self/mountinfo', 'utf8').trim().split('\n').length);
});

test('any text gives a table without an exception, and escapes of any bytes come back', () => {
  fc.assert(fc.property(fc.string({ maxLength: 400 }), (text) => Array.isArray(parseMountTable(text))));
  const escaped = (text: string): string =>
    text.replace(/[\s\\#]/g, (one) => `\\${one.charCodeAt(0).toString(8).padStart(3, '0')}`);
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', ' ', '\t', '\n', '\\', '#', '0', '4') }), (text) => {
      assert.equal(unescapeOctal(escaped(text)), text);
    }),
  );
});
