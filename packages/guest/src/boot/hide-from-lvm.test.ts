import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { run } from '@kannuki/core';
import { fakeMachine } from '../facts/testing/fake-machine.ts';
import { defaultPaths } from '../volumes/paths.ts';
import { hideFromLvm, showToLvm } from './hide-from-lvm.ts';

const folder = mkdtempSync(join(tmpdir(), 'kannuki-hide-'));
after(() => rmSync(folder, { recursive: true }));
const paths = {
  ...defaultPaths,
  lvmLocal: join(folder, 'lvmlocal.conf'),
  udevRules: join(folder, 'rules.d'),
  initramfsHooks: join(folder, 'hooks'),
};
const disk = { volume: 'kn_pv', device: '/dev/disk/by-id/scsi-1' };
const noFilter = { lvmconfig: { exitCode: 5, stdout: '' } };

test('a hidden disk: filter, rule of udev, initramfs; shown again all is as it was', async () => {
  writeFileSync(paths.lvmLocal, 'local {\n}\n');
  using machine = fakeMachine({}, { ...noFilter, 'update-initramfs': '' });
  for (let round = 0; round < 2; round++) await hideFromLvm(disk, paths, machine.run);
  assert.match(readFileSync(paths.lvmLocal, 'utf8'), /"r\|\^\/dev\/disk\/by-id\/scsi-1\$\|"/);
  const rule = join(paths.udevRules, '61-kannuki-kn_pv.rules');
  assert.match(
    readFileSync(rule, 'utf8'),
    /^SUBSYSTEM=="block", SYMLINK=="disk\/by-id\/scsi-1", ENV\{ID_FS_TYPE\}=""/m,
  );
  const hook = join(paths.initramfsHooks, 'kannuki');
  assert.equal(statSync(hook).mode & 0o777, 0o755);
  await run('sh', ['-n', hook]);
  assert.equal(machine.ran.filter((line) => line === 'update-initramfs -u -k all').length, 2);
  await showToLvm(disk, paths, machine.run);
  assert.equal(readFileSync(paths.lvmLocal, 'utf8'), 'local {\n}\n');
  assert.ok(!existsSync(rule));
  assert.equal(machine.ran.at(-1), 'update-initramfs -u -k all', 'the initramfs sees the disk again too');
});

test('without initramfs-tools nothing is put into their folder', async () => {
  rmSync(paths.initramfsHooks, { recursive: true, force: true });
  using machine = fakeMachine({}, noFilter);
  await hideFromLvm(disk, paths, machine.run);
  assert.ok(!existsSync(paths.initramfsHooks));
});
