import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deviceTimeoutSeconds } from '../boot/units.ts';
import { checkMountedDrives, dataDrives } from './mounted-drives.ts';
import { dataMount, device, formatted, healthyVm, line, rootLine, rootMount } from './testing/vm.ts';
import { isStillComing, mountWaitSeconds, shortestWaitSeconds } from './waits.ts';

const second = formatted(device({ kernelName: 'sdd', number: '8:48' }), 'xfs', 'ddd');
const empty = device({ kernelName: 'sde', number: '8:64' });
const facts = healthyVm({
  devices: [...healthyVm().devices, second, empty],
  mounts: [rootMount, dataMount],
  fstab: [...healthyVm().fstab, line(5, { source: 'UUID=ddd', point: '/data1', device: 'sdd' })],
});

test('REQ-046: data drives with their mount points, and the one that is missing', () => {
  assert.deepEqual(dataDrives(facts), [
    { device: '/dev/sdc1', mountPoint: '/data0', wantedPoint: '/data0' },
    { device: '/dev/sdd', mountPoint: null, wantedPoint: '/data1' },
  ]);
});

test('REQ-045, REQ-047: what `mount -a` should have mounted is told', () => {
  const findings = checkMountedDrives(facts);
  assert.deepEqual(
    findings.map(({ rule, severity, subject }) => [rule, severity, subject]),
    [['REQ-047', 'refuse', '/dev/sdd']],
  );
  assert.deepEqual(checkMountedDrives(healthyVm()), []);
  assert.deepEqual(checkMountedDrives(healthyVm({ mounts: [rootMount], fstab: [rootLine] })), []);
});

test('REQ-052, REQ-054: after a boot nothing counts as failed for minutes', () => {
  assert.ok(mountWaitSeconds >= 300 && mountWaitSeconds > shortestWaitSeconds);
  assert.equal(mountWaitSeconds, deviceTimeoutSeconds);
  assert.deepEqual([isStillComing(0), isStillComing(299), isStillComing(300)], [true, true, false]);
});
