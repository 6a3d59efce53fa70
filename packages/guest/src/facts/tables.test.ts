import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { dataPartition, device, formatted, osPartition } from '../checks/testing/vm.ts';
import { deviceOfSource, readCrypttab, readFstab } from './tables.ts';
import { fakeMachine } from './testing/fake-machine.ts';

const uuid = dataPartition.signature?.uuid;

test('fstab: odd spacing, comments, escapes, missing fields, bytes that are no UTF-8', async () => {
  const text = [
    '# comment',
    '',
    `UUID=${uuid}   /data0\text4 \tdefaults,nofail  0   2`,
    '\t# indented comment',
    'LABEL="my disk" /x ext4 defaults 0 0',
    String.raw`/dev/sdc1 /srv/my\040data/ auto noauto`,
    'tmpfs /caf\xe9 tmpfs',
    'one two',
    'a b c d e f g',
    'a b c d x 1',
    'UUID=gone /real ext4 defaults 0 1 # trailing',
  ].join('\n');
  using machine = fakeMachine({ '/etc/fstab': text, '/link': { link: '/real' } });
  mkdirSync(join(machine.root, 'real'));
  mkdirSync(join(machine.root, 'srv/my data'), { recursive: true });
  const facts = await readFstab(machine, [osPartition, dataPartition]);
  assert.deepEqual(
    facts.map(({ lineNumber, entry }) => [
      lineNumber,
      entry?.point ?? null,
      entry?.device ?? null,
      entry?.pointExists ?? null,
    ]),
    [
      [3, '/data0', 'sdc1', false],
      [5, null, null, null],
      [6, '/srv/my data', 'sdc1', true],
      [7, '/caf\ufffd', null, false],
      [8, null, null, null],
      [9, null, null, null],
      [10, null, null, null],
      [11, '/real', null, true],
    ],
  );
  const lines = text.split('\n');
  for (const { line, lineNumber } of facts) assert.equal(line, lines[lineNumber - 1]);
  const data = facts[0]?.entry;
  assert.deepEqual(data?.options, ['defaults', 'nofail']);
  assert.deepEqual([data?.dump, data?.pass, data?.fieldCount], [0, 2, 6]);
  assert.deepEqual([facts[2]?.entry?.fieldCount, facts[2]?.entry?.options], [4, ['noauto']]);
});

test('a mount point that is a symbolic link is known by its real name too', async () => {
  using machine = fakeMachine({
    '/etc/fstab': 'UUID=x /data ext4 defaults,nofail 0 0\n',
    '/data': { link: '/srv/data0' },
  });
  mkdirSync(join(machine.root, 'srv/data0'), { recursive: true });
  const [fact] = await readFstab(machine, []);
  assert.deepEqual([fact?.entry?.point, fact?.entry?.realPoint], ['/data', '/srv/data0']);
});

test('line ends of Windows: the line with its return, the fields without', async () => {
  using machine = fakeMachine({ '/etc/fstab': 'UUID=x /data ext4 defaults,nofail 0 2\r\n' });
  const [fact] = await readFstab(machine, []);
  assert.deepEqual([fact?.line, fact?.entry?.pass], ['UUID=x /data ext4 defaults,nofail 0 2\r', 2]);
});

test('no fstab is an empty one', async () => {
  using machine = fakeMachine({});
  assert.deepEqual(await readFstab(machine, []), []);
  assert.deepEqual(await readCrypttab(machine), []);
});

test('crypttab', async () => {
  using machine = fakeMachine({
    '/etc/crypttab': '# x\nd0 /dev/disk/by-id/x /run/key luks,nofail,header=/h\n\nplain UUID=1\nbroken\n',
  });
  assert.deepEqual(await readCrypttab(machine), [
    { lineNumber: 2, mapper: 'd0', device: '/dev/disk/by-id/x', options: ['luks', 'nofail', 'header=/h'] },
    { lineNumber: 4, mapper: 'plain', device: 'UUID=1', options: [] },
  ]);
});

test('names of devices: tags, nodes, links, and links of links', async () => {
  using machine = fakeMachine({
    '/dev/sdc1': '',
    '/dev/data/lv': { link: '../sdc1' },
    '/dev/cciss/c0d0p1': '',
  });
  const volume = device({ kernelName: 'cciss!c0d0p1', path: '/dev/cciss/c0d0p1', number: '104:1' });
  const labelled = {
    ...formatted(device({ kernelName: 'sdd1', number: '8:49', partitionLabel: 'part' }), 'ext4', 'u4'),
    signature: { usage: 'filesystem', type: 'ext4', version: null, uuid: 'u4', label: 'my disk' },
  };
  const devices = [dataPartition, volume, labelled];
  const cases: readonly (readonly [string, string | undefined])[] = [
    [`UUID=${uuid}`, 'sdc1'],
    [`UUID="${uuid}"`, 'sdc1'],
    ['LABEL="my disk"', 'sdd1'],
    ['PARTLABEL=part', 'sdd1'],
    ['PARTUUID=11111111-2222-3333-4444-555555555555', 'sdc1'],
    ['/dev/sdc1', 'sdc1'],
    ['/dev/disk/azure/scsi1/lun0-part1', 'sdc1'],
    ['/dev/data/lv', 'sdc1'],
    ['/dev/cciss/c0d0p1', 'cciss!c0d0p1'],
    ['/dev/gone', undefined],
    ['UUID=none', undefined],
    ['server:/export', undefined],
  ];
  for (const [source, kernelName] of cases) {
    assert.equal((await deviceOfSource(machine, source, devices))?.kernelName, kernelName, source);
  }
});

test('of a mirror and its member, which carry one UUID, the mirror is meant', async () => {
  using machine = fakeMachine({});
  const member = { ...formatted(device({ kernelName: 'sdd', number: '8:48' }), 'ext4', 'u'), children: ['md0'] };
  const array = {
    ...formatted(device({ kernelName: 'md0', number: '9:0', type: 'raid1' }), 'ext4', 'u'),
    parents: ['sdd'],
  };
  assert.equal((await deviceOfSource(machine, 'UUID=u', [member, array]))?.kernelName, 'md0');
});
