import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { run } from '@kannuki/core';
import { crypttabFields, keyVolumeUnitFiles, mountUnitFiles, randomKeyFields, swapUnitFiles } from './units.ts';

const mount = { mapper: 'kn_data0', point: '/data0', fileSystem: 'ext4', options: 'defaults,nofail', pass: 2 };

test('systemd itself finds nothing wrong with the units', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kannuki-units-'));
  try {
    const files = [...mountUnitFiles(mount), ...keyVolumeUnitFiles('1384-3AA3')];
    const units: string[] = [];
    for (const file of files) {
      if (!('content' in file)) continue;
      mkdirSync(dirname(join(folder, file.path)), { recursive: true });
      writeFileSync(join(folder, file.path), file.content);
      if (file.path.endsWith('.mount')) units.push(join(folder, file.path));
    }
    assert.equal(units.length, 2);
    const { stderr } = await run('systemd-analyze', ['verify', '--man=no', '--recursive-errors=no', ...units], {
      environment: { SYSTEMD_LOG_LEVEL: 'warning' },
    });
    assert.equal(stderr, '');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the unit of a volume: never BindsTo, ordered after the unlock, its options and its check', () => {
  const [unit, wanted, timeout] = mountUnitFiles(mount);
  assert.ok(unit !== undefined && 'content' in unit && timeout !== undefined && 'content' in timeout);
  assert.equal(unit.path, 'data0.mount');
  assert.doesNotMatch(unit.content, /BindsTo|Requires=systemd-cryptsetup/);
  assert.match(unit.content, /^After=systemd-cryptsetup@kn_data0\.service$/m);
  assert.match(unit.content, /^Options=defaults,nofail$/m);
  assert.match(unit.content, /^Requires=systemd-fsck@dev-mapper-kn_data0\.service$/m);
  assert.deepEqual(wanted, { path: 'local-fs.target.wants/data0.mount', target: '../data0.mount' });
  assert.match(timeout.content, /^JobTimeoutSec=300$/m);
});

test('REQ-054: no wait for a device is shorter than a minute', () => {
  const timeouts = [...mountUnitFiles(mount), ...keyVolumeUnitFiles('1384-3AA3')].flatMap((file) =>
    'content' in file ? [...file.content.matchAll(/Timeout\w*=(\d+)/g)].map(([, seconds]) => Number(seconds)) : [],
  );
  assert.ok(timeouts.length >= 4);
  for (const seconds of timeouts) assert.ok(seconds > 60);
});

test('crypttab: headless, so that a missing key never asks on the console; noauto where the agent unlocks', () => {
  const line = { mapper: 'kn_data0', device: '/dev/disk/by-id/x', header: '/h' };
  const [mapper, device, key, options] = crypttabFields({
    ...line,
    keyFile: '/run/kannuki/key/LinuxPassPhraseFileName',
  });
  assert.deepEqual(
    [mapper, device, key],
    ['kn_data0', '/dev/disk/by-id/x', '/run/kannuki/key/LinuxPassPhraseFileName'],
  );
  assert.deepEqual(options.split(','), [
    'luks',
    'nofail',
    'header=/h',
    'headless=true',
    'x-systemd.device-timeout=300s',
  ]);
  const [, , none, manual] = crypttabFields({ ...line, keyFile: null });
  assert.equal(none, 'none');
  assert.ok(manual.split(',').includes('noauto'));
});

test('crypttab lines with a new key at each boot: swap space by its mark, the temporary disk by its role', () => {
  const swap = {
    mapper: 'kn_swap_1',
    device: 'UUID=m',
    content: 'swap',
    offsetBytes: 1024 * 1024,
    sectorSize: 4096,
  } as const;
  assert.equal(
    randomKeyFields(swap).join(' '),
    'kn_swap_1 UUID=m /dev/urandom plain,swap,cipher=aes-xts-plain64,size=512,offset=2048,sector-size=4096,nofail,x-systemd.device-timeout=300s',
  );
  const temporary = {
    ...swap,
    mapper: 'resourceencrypt',
    content: 'tmp=ext4',
    offsetBytes: 0,
    sectorSize: 512,
  } as const;
  assert.equal(
    randomKeyFields(temporary).join(' '),
    'resourceencrypt UUID=m /dev/urandom plain,tmp=ext4,cipher=aes-xts-plain64,size=512,nofail,x-systemd.device-timeout=300s',
  );
});

test('a swap unit waits for the mapping and keeps priority and discard of the old line', () => {
  const [unit, link, timeout] = swapUnitFiles('kn_swap_1', 'sw,pri=5,discard=once,nofail');
  assert.equal(unit?.path, 'dev-mapper-kn_swap_1.swap');
  const content = unit !== undefined && 'content' in unit ? unit.content : '';
  assert.match(content, /^What=\/dev\/mapper\/kn_swap_1$/m);
  assert.match(content, /^Options=pri=5,discard=once$/m);
  assert.match(content, /^Requires=systemd-cryptsetup@kn_swap_1\.service$/m);
  assert.match(content, /^After=systemd-cryptsetup@kn_swap_1\.service$/m);
  assert.deepEqual(link, {
    path: 'swap.target.wants/dev-mapper-kn_swap_1.swap',
    target: '../dev-mapper-kn_swap_1.swap',
  });
  assert.match(timeout?.path ?? '', /\.device\.d\/50-kannuki\.conf$/);
});
