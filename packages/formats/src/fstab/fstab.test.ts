import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasCode } from '@kannuki/core';
import fc from 'fast-check';
import { entriesOf, printTable } from '../tables/table.ts';
import {
  appendFstabEntry,
  commentOutFstabEntry,
  type Fstab,
  type FstabEntry,
  findByMountPoint,
  parseFstab,
  removeFstabEntry,
  restoreFstabEntries,
  setFstabOptions,
} from './fstab.ts';
import { sourceKind } from './source.ts';

/** As people write it: tabs, blanks at both ends, escapes, a line end of DOS, a byte that is no UTF-8, no newline at the end. */
const odd = Buffer.from(
  '# /etc/fstab: hand-made\n' +
    '\n' +
    'UUID=0b1e-22 / ext4\terrors=remount-ro  0 1\n' +
    '   \t\n' +
    '  /dev/sdb1\t\t/data\\0401/  xfs   defaults,nofail,x-systemd.device-timeout=5 0\t2  \n' +
    'LABEL=caf\xe9 /caf\xe9 ext4 ro 0 0\n' +
    '/dev/mapper/vg-home /home ext4 defaults 0 2\r\n' +
    'tmpfs /tmp tmpfs\n' +
    '   # /dev/sdc1 /old ext4 defaults 0 0\n' +
    'this line is no entry at all, it has too many fields\n' +
    'nas:/export /nas nfs defaults,nofail 0 0 # the old one\n' +
    '/dev/sdd1 /last auto noauto 0 0',
  'latin1',
);

function text(fstab: Fstab): string {
  return Buffer.from(printTable(fstab)).toString('latin1');
}

function only(fstab: Fstab, mountPoint: string): FstabEntry {
  const found = findByMountPoint(fstab, mountPoint);
  assert.equal(found.length, 1);
  return found[0] ?? assert.fail('unreachable');
}

test('what is not changed comes out byte for byte', () => {
  assert.deepEqual(printTable(parseFstab(odd)), odd);
});

test('any bytes come out byte for byte', () => {
  const piece = fc.constantFrom(
    '\n',
    '\r\n',
    '\r',
    ' ',
    '\t',
    '#',
    '\\040',
    '\\',
    'UUID=1',
    '/',
    'a',
    '\xff',
    '\0',
    '0',
  );
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.array(piece, { maxLength: 80 }).map((pieces) => new Uint8Array(Buffer.from(pieces.join(''), 'latin1'))),
  );
  fc.assert(
    fc.property(bytes, (input) => {
      assert.deepEqual(new Uint8Array(printTable(parseFstab(input))), input);
    }),
  );
});

test('entries are read as mount(8) reads them', () => {
  const fstab = parseFstab(odd);
  assert.deepEqual(
    entriesOf(fstab).map((entry) => entry.mountPoint),
    ['/', '/data 1', '/caf\ufffd', '/home', '/tmp', '/nas', '/last'],
  );
  const { source, type, options, hasNofail, dump, pass, sourceKind: kind } = only(fstab, '/data 1/');
  assert.deepEqual(
    { source, type, options, hasNofail, dump, pass, kind },
    {
      source: '/dev/sdb1',
      type: 'xfs',
      options: ['defaults', 'nofail', 'x-systemd.device-timeout=5'],
      hasNofail: true,
      dump: 0,
      pass: 2,
      kind: 'passing',
    },
  );
  assert.equal(only(fstab, '/home').pass, 2, 'the return before a DOS line end is not part of the last field');
  assert.deepEqual(only(fstab, '/tmp').options, ['defaults']);
  assert.equal(only(fstab, '/nas').fields.length, 6, 'a comment behind the fields is not a field');
});

test('commenting out changes one line, and can be undone byte for byte', () => {
  const fstab = parseFstab(odd);
  const prefix = '# moved by kannuki: ';
  const commented = commentOutFstabEntry(fstab, only(fstab, '/caf\ufffd'), prefix);
  assert.equal(text(commented), odd.toString('latin1').replace('LABEL=caf\xe9', `${prefix}LABEL=caf\xe9`));
  assert.deepEqual(findByMountPoint(parseFstab(printTable(commented)), '/caf\ufffd'), []);
  const restored = restoreFstabEntries(parseFstab(printTable(commented)), prefix);
  assert.deepEqual(printTable(restored), odd);
  assert.equal(findByMountPoint(restored, '/caf\ufffd').length, 1);
});

test('removing takes the one line out', () => {
  const fstab = parseFstab(odd);
  const removed = removeFstabEntry(fstab, only(fstab, '/home'));
  assert.equal(text(removed), odd.toString('latin1').replace(/^\/dev\/mapper.*\r\n/m, ''));
});

test('options are changed in place, spacing stays', () => {
  const fstab = parseFstab(odd);
  const root = only(fstab, '/');
  const changed = setFstabOptions(fstab, root, [...root.options, 'nofail']);
  assert.equal(text(changed), odd.toString('latin1').replace('errors=remount-ro  0', 'errors=remount-ro,nofail  0'));
  assert.ok(only(changed, '/').hasNofail);
  const temporary = setFstabOptions(fstab, only(fstab, '/tmp'), ['size=1G']);
  assert.ok(text(temporary).includes('\ntmpfs /tmp tmpfs size=1G\n'));
});

test('an appended entry is found again, whatever its mount point', () => {
  const mountPoint = fc
    .string({ unit: fc.constantFrom('a', 'é', '鍵', ' ', '\t', '\\', '#', '/', '0', '4'), minLength: 1, maxLength: 20 })
    .map((name) => `/x${name}y`);
  fc.assert(
    fc.property(mountPoint, (point) => {
      const before = parseFstab(odd);
      const entry = {
        source: 'UUID=1',
        mountPoint: point,
        type: 'ext4',
        options: ['defaults', 'nofail'],
        dump: 0,
        pass: 2,
      };
      const after = appendFstabEntry(before, entry);
      const found = only(parseFstab(printTable(after)), point);
      assert.deepEqual(found.options, entry.options);
      assert.ok(
        text(after).startsWith(`${odd.toString('latin1')}\n`),
        'what was there is there, and its last line has an end',
      );
    }),
  );
});

for (const bad of ['', 'a\nb', 'a\0b']) {
  test(`an entry that would break the file is refused: ${JSON.stringify(bad)}`, () => {
    const entry = { source: 'UUID=1', mountPoint: bad, type: 'ext4', options: ['ro'], dump: 0, pass: 0 };
    assert.throws(
      () => appendFstabEntry(parseFstab(odd), entry),
      (error) => hasCode(error, 'KNK-FMT-0201'),
    );
  });
}

test('a prefix that is no comment is refused', () => {
  const fstab = parseFstab(odd);
  for (const prefix of ['', 'moved ', '#\n']) {
    assert.throws(
      () => commentOutFstabEntry(fstab, only(fstab, '/'), prefix),
      (error) => hasCode(error, 'KNK-FMT-0201'),
    );
  }
});

const kinds = {
  lasting: [
    'UUID=9a3c',
    'LABEL=data',
    'PARTUUID=1-2',
    'PARTLABEL=x',
    '/dev/disk/by-id/virtio-1',
    '/dev/disk/by-uuid/9a3c',
    '/dev/disk/azure/scsi1/lun0',
    '/dev/mapper/vg0-data',
    '/dev/vg0/data',
    '/dev/md/data',
  ],
  passing: [
    '/dev/sda',
    '/dev/sdb1',
    '/dev/vdaa2',
    '/dev/xvda1',
    '/dev/nvme0n1p3',
    '/dev/dm-0',
    '/dev/md127',
    '/dev/mmcblk0p1',
  ],
  other: ['tmpfs', 'none', 'nas:/export', '/var/swapfile', 'UUID=', 'proc'],
} as const;

for (const kind of ['lasting', 'passing', 'other'] as const) {
  test(`sources: ${kind}`, () => {
    for (const source of kinds[kind]) assert.equal(sourceKind(source), kind, source);
  });
}
