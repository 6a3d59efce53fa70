import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasCode } from '@kannuki/core';
import fc from 'fast-check';
import { entriesOf, printTable } from '../tables/table.ts';
import {
  appendCrypttabEntry,
  commentOutCrypttabEntry,
  findByName,
  parseCrypttab,
  removeCrypttabEntry,
  restoreCrypttabEntries,
} from './crypttab.ts';

const odd = Buffer.from(
  '# <target> <source> <key> <options>\n' +
    '\tswap   /dev/sda2 /dev/urandom  swap,cipher=aes-xts-plain64\t\n' +
    'home UUID=1-2\n' +
    'd0 /dev/disk/by-id/virtio-S /Linux\xffKey:UUID=1384-3AA3 luks,nofail,headless=true\n' +
    'alone\n',
  'latin1',
);

test('what is not changed comes out byte for byte', () => {
  assert.deepEqual(printTable(parseCrypttab(odd)), odd);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (input) => {
      assert.deepEqual(new Uint8Array(printTable(parseCrypttab(input))), input);
    }),
  );
});

test('entries are read as systemd reads them', () => {
  const entries = entriesOf(parseCrypttab(odd)).map(({ name, device, key, options }) => ({
    name,
    device,
    key,
    options,
  }));
  assert.deepEqual(entries, [
    { name: 'swap', device: '/dev/sda2', key: '/dev/urandom', options: ['swap', 'cipher=aes-xts-plain64'] },
    { name: 'home', device: 'UUID=1-2', key: 'none', options: [] },
    {
      name: 'd0',
      device: '/dev/disk/by-id/virtio-S',
      key: '/Linux\ufffdKey:UUID=1384-3AA3',
      options: ['luks', 'nofail', 'headless=true'],
    },
  ]);
});

test('entries are commented out, restored and removed; all else stays', () => {
  const crypttab = parseCrypttab(odd);
  const [entry] = findByName(crypttab, 'd0');
  assert.ok(entry !== undefined);
  const commented = commentOutCrypttabEntry(crypttab, entry, '# off: ');
  assert.equal(
    Buffer.from(printTable(commented)).toString('latin1'),
    odd.toString('latin1').replace('d0 ', '# off: d0 '),
  );
  assert.deepEqual(printTable(restoreCrypttabEntries(commented, '# off: ')), odd);
  const removed = Buffer.from(printTable(removeCrypttabEntry(crypttab, entry))).toString('latin1');
  assert.equal(removed, odd.toString('latin1').replace(/^d0 .*\n/m, ''));
});

test('an appended entry is found again', () => {
  const entry = { name: 'd1', device: 'UUID=3-4', key: '/run/key', options: ['luks', 'header=/var/lib/h', 'nofail'] };
  const after = parseCrypttab(printTable(appendCrypttabEntry(parseCrypttab(odd), entry)));
  const [found] = findByName(after, 'd1');
  assert.deepEqual(found?.options, entry.options);
  assert.equal(found?.deviceKind, 'lasting');
});

for (const bad of ['', 'a b', 'a\nb', 'a\\040b', '#a']) {
  test(`what systemd and Debian would read differently is refused: ${JSON.stringify(bad)}`, () => {
    assert.throws(
      () => appendCrypttabEntry(parseCrypttab(odd), { name: bad, device: 'UUID=1', key: 'none', options: [] }),
      (error) => hasCode(error, 'KNK-FMT-0201'),
    );
  });
}
