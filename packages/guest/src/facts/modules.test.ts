import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ModuleFact } from './model.ts';
import { readModules } from './modules.ts';
import { fakeMachine } from './testing/fake-machine.ts';

const kernel = { '/proc/sys/kernel/osrelease': '6.1.0-13-amd64\n' };
const builtin = '/lib/modules/6.1.0-13-amd64/modules.builtin';
const loadable = { modprobe: '' };
const failing = { modprobe: { exitCode: 1, stdout: '' } };
const loaded = 'vfat 24576 1 - Live 0x0\ndm_crypt 61440 2 - Live 0x0\ndm_mod 184320 6 dm_crypt, Live 0x0\n';

type Row = readonly [ModuleFact['state'], string | null];

async function states(...args: Parameters<typeof fakeMachine>): Promise<Readonly<Record<ModuleFact['name'], Row>>> {
  using machine = fakeMachine(...args);
  const rows = (await readModules(machine)).map(({ name, state, blockedBy }) => [name, [state, blockedBy]]);
  return Object.fromEntries(rows);
}

test('loaded, built in, loadable, missing', async () => {
  assert.deepEqual(await states({ ...kernel, '/proc/modules': loaded, [builtin]: '' }, failing), {
    dm_crypt: ['loaded', null],
    vfat: ['loaded', null],
  });
  const inKernel = 'kernel/fs/fat/vfat.ko\nkernel/drivers/md/dm-crypt.ko\n';
  assert.deepEqual(await states({ ...kernel, '/proc/modules': '', [builtin]: inKernel }, failing), {
    dm_crypt: ['built-in', null],
    vfat: ['built-in', null],
  });
  assert.deepEqual(await states({ ...kernel, '/proc/modules': '', [builtin]: '' }, loadable), {
    dm_crypt: ['loadable', null],
    vfat: ['loadable', null],
  });
  assert.deepEqual(await states({ ...kernel, '/proc/modules': '', [builtin]: 'kernel/fs/fat/fat.ko\n' }, failing), {
    dm_crypt: ['missing', null],
    vfat: ['missing', null],
  });
});

test('without modprobe what is not loaded is missing', async () => {
  assert.deepEqual(await states({ ...kernel, '/proc/modules': 'vfat_x 1 1\n', [builtin]: '' }), {
    dm_crypt: ['missing', null],
    vfat: ['missing', null],
  });
});

test('a kernel without modules shows what it registered', async () => {
  const files = { ...kernel, '/proc/filesystems': 'nodev\tsysfs\n\tvfat\n' };
  const targets = 'crypt            v1.24.0\nlinear           v1.4.0\n';
  assert.deepEqual(await states(files, { dmsetup: targets }), {
    dm_crypt: ['built-in', null],
    vfat: ['built-in', null],
  });
  assert.deepEqual(await states({ ...kernel, '/proc/filesystems': '\text4\n' }, { dmsetup: 'linear v1.4.0\n' }), {
    dm_crypt: ['missing', null],
    vfat: ['missing', null],
  });
});

test('what keeps a module out: blacklist, install, kernel command line; with file and line', async () => {
  const base = { ...kernel, '/proc/modules': loaded, [builtin]: '' };
  const cases: readonly (readonly [string, string, string | null])[] = [
    ['/etc/modprobe.d/cis.conf', 'install vfat /bin/true', '/etc/modprobe.d/cis.conf: install vfat /bin/true'],
    ['/usr/lib/modprobe.d/a.conf', '  blacklist vfat ', '/usr/lib/modprobe.d/a.conf: blacklist vfat'],
    [
      '/etc/modprobe.d/b.conf',
      'install vfat \\\n  /usr/bin/false',
      '/etc/modprobe.d/b.conf: install vfat    /usr/bin/false',
    ],
    ['/etc/modprobe.d/c.conf', 'install vfat false || exit 1', '/etc/modprobe.d/c.conf: install vfat false || exit 1'],
    ['/proc/cmdline', 'ro modprobe.blacklist=floppy,vfat quiet', '/proc/cmdline: modprobe.blacklist=floppy,vfat'],
    ['/proc/cmdline', 'module_blacklist=vfat', '/proc/cmdline: module_blacklist=vfat'],
    ['/etc/modprobe.d/d.conf', '# install vfat /bin/true', null],
    ['/etc/modprobe.d/e.txt', 'blacklist vfat', null],
    ['/etc/modprobe.d/f.conf', 'install vfat /sbin/modprobe --ignore-install vfat', null],
    ['/etc/modprobe.d/g.conf', 'blacklist vfatx', null],
  ];
  for (const [path, text, blockedBy] of cases) {
    assert.deepEqual((await states({ ...base, [path]: text })).vfat, ['loaded', blockedBy], text);
  }
  const dashed = await states({ ...base, '/etc/modprobe.d/x.conf': 'blacklist dm-crypt\n' });
  assert.deepEqual(dashed.dm_crypt, ['loaded', '/etc/modprobe.d/x.conf: blacklist dm-crypt']);
});

test('a file in /etc hides the one of the same name below /usr', async () => {
  const files = {
    ...kernel,
    '/proc/modules': loaded,
    [builtin]: '',
    '/etc/modprobe.d/x.conf': '',
    '/usr/lib/modprobe.d/x.conf': 'blacklist vfat\n',
  };
  assert.deepEqual((await states(files)).vfat, ['loaded', null]);
});
