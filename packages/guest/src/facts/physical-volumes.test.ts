import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasCode } from '@kannuki/core';
import { device } from '../checks/testing/vm.ts';
import { readPhysicalVolumes } from './physical-volumes.ts';
import { fakeMachine } from './testing/fake-machine.ts';

const signature = { usage: 'raid', type: 'LVM2_member', version: 'LVM2 001', uuid: 'u', label: null };
const disk = device({ kernelName: 'sdb', number: '8:16', links: ['/dev/disk/by-id/x'], signature });

/** As `pvs` of LVM 2.03.16 answers. */
const row = {
  pv_name: '/dev/sdb',
  pv_uuid: 'aaaaaa-bbbb',
  pv_duplicate: '0',
  vg_name: 'data',
  vg_uuid: 'cccccc-dddd',
  vg_missing_pv_count: '0',
  vg_exported: '0',
  vg_shared: '0',
};
const answer = (...rows: readonly object[]): string => JSON.stringify({ report: [{ pv: rows }] });

test('a physical volume with its group, one without, and one that is missing', async () => {
  const lone = { ...row, pv_name: '/dev/disk/by-id/x', vg_name: '', vg_uuid: '', pv_duplicate: '1' };
  using machine = fakeMachine({}, { pvs: answer(row, lone, { ...row, pv_name: '[unknown]' }) });
  const found = await readPhysicalVolumes(machine, [disk]);
  assert.deepEqual(
    found.map(({ device: name, uuid, isDuplicate, group }) => [name, uuid, isDuplicate, group?.name]),
    [
      ['sdb', 'aaaaaa-bbbb', false, 'data'],
      ['sdb', 'aaaaaa-bbbb', true, undefined],
    ],
  );
  assert.equal(found[0]?.group?.missingCount, 0);
});

test('LVM is asked only where there is a physical volume, and need not be installed', async () => {
  using machine = fakeMachine({});
  assert.deepEqual(await readPhysicalVolumes(machine, [device({ kernelName: 'sdc', number: '8:32' })]), []);
  assert.deepEqual(machine.ran, []);
  assert.deepEqual(await readPhysicalVolumes(machine, [disk]), []);
});

test('an answer of another form is an error, not a guess', async () => {
  for (const stdout of ['', '{}', answer({ ...row, vg_missing_pv_count: 'many' }), answer({ pv_name: '/dev/sdb' })]) {
    using machine = fakeMachine({}, { pvs: stdout });
    await assert.rejects(readPhysicalVolumes(machine, [disk]), (error) => hasCode(error, 'KNK-VOL-0101'), stdout);
  }
});
