import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { FstabFact } from '../facts/model.ts';
import { volumeOf } from '../targets/targets.ts';
import { checkVolumes } from './check-volumes.ts';
import { check, mebibyte, space, withMounts } from './testing/cases.ts';
import {
  dataLine,
  dataPartition,
  device,
  formatted,
  healthyVm,
  line,
  mount,
  openFile,
  rootLine,
  rootMount,
} from './testing/vm.ts';

test('nothing stands in the way of a healthy volume', () => {
  assert.deepEqual(check(healthyVm()), []);
});

test('all findings are listed, not the first', () => {
  const bad: FstabFact = line(4, {
    source: '/dev/sdc1',
    point: '/data0',
    device: 'sdc1',
    options: ['defaults'],
    fileSystem: 'xfs',
  });
  const findings = check(
    healthyVm({
      modules: healthyVm().modules.map((module) => ({ ...module, state: 'missing' as const })),
      fstab: [rootLine, bad],
      openFiles: [openFile(7, 'tail'), openFile(8, 'tail')],
      cryptsetup: null,
    }),
  );
  assert.deepEqual(findings.map(({ rule }) => rule).sort(), [
    'REQ-038',
    'REQ-038',
    'REQ-042',
    'REQ-043',
    'REQ-044',
    'REQ-051',
    'REQ-051',
    'REQ-258',
  ]);
});

describe('all volumes of a type: what cannot be encrypted is skipped with its reason (REQ-090)', () => {
  const request = { named: false, stopServices: false };

  test('an empty disk is a note, a mounted f2fs a warning, and neither refuses the others', () => {
    const f2fs = formatted(device({ kernelName: 'sdd', number: '8:48' }), 'f2fs', 'bbb');
    const empty = device({ kernelName: 'sde', number: '8:64' });
    const facts = healthyVm({
      devices: [...healthyVm().devices, f2fs, empty],
      ...withMounts(mount({ number: '0:61', point: '/data1', fileSystem: 'f2fs', source: '/dev/sdd' })),
    });
    const volumes = [dataPartition, f2fs, empty].map((one) => volumeOf(facts, one));
    const findings = checkVolumes(facts, { ...request, volumes });
    assert.deepEqual(
      findings.map(({ rule, severity, subject }) => [rule, severity, subject]),
      [
        ['REQ-091', 'warn', '/data1'],
        ['REQ-090', 'note', '/dev/sde'],
      ],
    );
  });

  test('what is encrypted already is a note', () => {
    const mapping = formatted(
      device({ kernelName: 'dm-0', number: '253:0', type: 'crypt', parents: ['sdd'] }),
      'ext4',
      'c',
    );
    const disk = device({ kernelName: 'sdd', number: '8:48', children: ['dm-0'] });
    const facts = healthyVm({
      devices: [...healthyVm().devices, disk, mapping],
      ...withMounts(mount({ number: '253:0', point: '/data1' })),
    });
    const findings = checkVolumes(facts, { ...request, volumes: [volumeOf(facts, mapping)] });
    assert.deepEqual(
      findings.map(({ rule, severity, subject }) => [rule, severity, subject]),
      [['REQ-090', 'note', '/data1']],
    );
  });

  test('what fstab should have mounted and has not is a refusal (REQ-047)', () => {
    const facts = healthyVm({ mounts: [rootMount] });
    const findings = checkVolumes(facts, { ...request, volumes: [volumeOf(facts, dataPartition)] });
    assert.deepEqual(
      findings.map(({ rule, severity }) => [rule, severity]),
      [['REQ-047', 'refuse']],
    );
  });

  test('room for headers is counted for all volumes together', () => {
    const other = formatted(
      device({ kernelName: 'sdd', number: '8:48', links: ['/dev/disk/by-id/scsi-2'] }),
      'ext4',
      'ddd',
    );
    const facts = healthyVm({
      devices: [...healthyVm().devices, other],
      ...withMounts(mount({ number: '8:48', point: '/data1' })),
      fstab: [rootLine, dataLine, line(5, { source: 'UUID=ddd', point: '/data1', device: 'sdd' })],
      ...space('/var/lib/kannuki', { freeBytes: 80 * mebibyte }),
    });
    const findings = checkVolumes(facts, {
      ...request,
      volumes: [dataPartition, other].map((one) => volumeOf(facts, one)),
    });
    assert.deepEqual(
      findings.map(({ rule }) => rule),
      ['REQ-096'],
    );
    assert.match(findings[0]?.message.en ?? '', /96 MiB/);
  });
});
