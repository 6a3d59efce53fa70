import assert from 'node:assert/strict';
import { statfsSync } from 'node:fs';
import { freemem, totalmem } from 'node:os';
import { test } from 'node:test';
import { hasCode, run } from '@kannuki/core';
import { parseCryptsetupVersion, readCryptsetup } from './cryptsetup-version.ts';
import { readMemory } from './memory.ts';
import { readMounts } from './mount-table.ts';
import { readOperatingSystem } from './operating-system.ts';
import { parseExport } from './signature.ts';
import { readSpaces } from './spaces.ts';
import { readLoops, readSwaps } from './swaps-and-loops.ts';
import { fakeMachine } from './testing/fake-machine.ts';

test('cryptsetup: only the forms that releases have had', () => {
  const cases: readonly (readonly [string, readonly number[] | null])[] = [
    ['cryptsetup 2.6.1 flags: UDEV BLKID KEYRING KERNEL_CAPI \n', [2, 6, 1]],
    ['cryptsetup 2.4.3\n', [2, 4, 3]],
    ['cryptsetup 2.7.0-rc1 flags: UDEV HW_OPAL\n', [2, 7, 0]],
    ['cryptsetup 2.6.1\nsomething else\n', null],
    ['cryptsetup 2.6\n', null],
    ['Cryptsetup 2.6.1\n', null],
    ['cryptsetup 2.6.1.4\n', null],
    ['', null],
  ];
  for (const [text, version] of cases) assert.deepEqual(parseCryptsetupVersion(text), version, text);
});

test('cryptsetup with its package, from either package manager', async () => {
  const program = { cryptsetup: 'cryptsetup 2.7.2 flags: UDEV\n' };
  using rpm = fakeMachine({}, { ...program, rpm: '2.7.2-3.el9' });
  assert.deepEqual(await readCryptsetup(rpm), { version: [2, 7, 2], packageVersion: '2.7.2-3.el9' });
  using dpkg = fakeMachine({}, { ...program, 'dpkg-query': '2:2.7.2-2ubuntu1', rpm: { exitCode: 1, stdout: '' } });
  assert.deepEqual(await readCryptsetup(dpkg), { version: [2, 7, 2], packageVersion: '2:2.7.2-2ubuntu1' });
  using neither = fakeMachine({}, { ...program, 'dpkg-query': { exitCode: 1, stdout: 'no package\n' } });
  assert.deepEqual(await readCryptsetup(neither), { version: [2, 7, 2], packageVersion: null });
  using none = fakeMachine({});
  assert.equal(await readCryptsetup(none), null);
});

test('cryptsetup of this machine', async () => {
  const fact = await readCryptsetup({ root: '/', run });
  assert.ok(fact?.version, 'the version of the installed cryptsetup is not understood');
  assert.match(fact.packageVersion ?? '', new RegExp(fact.version.join('\\.')));
});

test('memory, in bytes', async () => {
  const real = await readMemory({ root: '/' });
  assert.equal(real.totalBytes, totalmem());
  assert.ok(real.availableBytes > 0 && real.availableBytes <= real.totalBytes && freemem() <= real.totalBytes);
  using odd = fakeMachine({ '/proc/meminfo': 'MemTotal: lots\n' });
  await assert.rejects(readMemory(odd), (error) => hasCode(error, 'KNK-VOL-0101'));
});

test('os-release, with quotes and without', async () => {
  using machine = fakeMachine({
    '/usr/lib/os-release': 'NAME="x"\nID=ubuntu\nVERSION_ID="24.04"\nPRETTY_NAME="Ubuntu \\"24\\""\n',
  });
  assert.deepEqual(await readOperatingSystem(machine), { id: 'ubuntu', versionId: '24.04', prettyName: 'Ubuntu "24"' });
  using empty = fakeMachine({});
  assert.equal((await readOperatingSystem(empty)).id, 'linux');
});

test('swap spaces and loop devices', async () => {
  using machine = fakeMachine({
    '/proc/swaps':
      'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n/dev/sdb1   partition\t8388604\t\t0\t\t-2\n/my\\040swap file\t\t1024 0 -3\n',
    '/sys/block/loop3/loop/backing_file': '/data0/disk image\n',
    '/sys/block/loop4/size': '0',
    '/sys/block/sda/size': '1',
  });
  assert.deepEqual(await readSwaps(machine), [
    { path: '/dev/sdb1', kind: 'partition' },
    { path: '/my swap', kind: 'file' },
  ]);
  assert.deepEqual(await readLoops(machine), [{ kernelName: 'loop3', file: '/data0/disk image' }]);
});

test('free space is that of the nearest folder that exists', async () => {
  using machine = fakeMachine({ '/var/x': '' });
  const spaces = await readSpaces(machine, [...(await readMounts({ root: '/' }))]);
  const { bsize, bavail } = statfsSync(machine.root);
  assert.deepEqual(
    spaces.map(({ path }) => path),
    ['/var/lib/kannuki', '/boot'],
  );
  // Others write to this disk while we test.
  for (const { freeBytes } of spaces) assert.ok(Math.abs(freeBytes - bsize * bavail) < 1024 ** 3);
});

test('what blkid prints for programs: backslashes taken away', () => {
  const fields = parseExport('DEVNAME=/dev/sdc1\nLABEL=my\\ \\$disk\\x41\nUUID=6a1f\nTYPE=ext4\n\nnoise\n');
  assert.deepEqual(
    [...fields],
    [
      ['DEVNAME', '/dev/sdc1'],
      ['LABEL', 'my $diskA'],
      ['UUID', '6a1f'],
      ['TYPE', 'ext4'],
    ],
  );
});
