import assert from 'node:assert/strict';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { smallVm } from '../power-cut/small-vm.ts';
import type { Sight } from './scenarios/disk-check.ts';
import { makeScratchVm } from './scratch-vm.ts';
import { runInUml } from './uml.ts';

/** For each situation the refusals, all of them and no other; each by its rule and a piece of its message. */
const expected: Readonly<Record<string, readonly RegExp[]>> = {
  healthy: [],
  'healthy, by its device': [],
  'healthy, by its tag': [],
  'no file system': [/^REQ-090: .* has no file system/, /^REQ-089: .* is not mounted/],
  swap: [/^REQ-090: .* is swap space/, /^REQ-089: /],
  'logical volume': [],
  // The lab has no udev and so no name that lasts.
  'physical volume': [/^REQ-043: .* has no name below \/dev\/disk/],
  mirror: [],
  'member of a mirror': [/^REQ-090: .* member of a RAID array below \/dev\/md0/, /^REQ-089: /],
  'mapping of someone else': [/^REQ-090: \/dev\/mapper\/theirs is encrypted already/],
  'disk of someone else': [/^REQ-090: \/dev\/ubdb is encrypted already/, /^REQ-089: /],
  xfs: [],
  vfat: [/^REQ-091: \/dev\/ubdb holds vfat/],
  'journal on another device': [/^REQ-091: .* on another device/, /^REQ-089: /],
  clone: [/^REQ-043: \/dev\/ubdb has the same file system UUID/],
  'device read-only': [/^REQ-090: the device \/dev\/ubda is read-only/],
  'not mounted': [/^REQ-047: .*\/etc\/fstab:1/],
  'mount below': [/^REQ-092: \/srv\/data0\/below is mounted below \/srv\/data0/],
  'bind mount': [/^REQ-051: .* mounted at \/srv\/other too/],
  'mount over it': [/^REQ-051: another mount \(tmpfs\)/],
  'swap file': [/^REQ-051: the swap file \/srv\/data0\/swap/],
  'loop device': [/^REQ-051: the loop device \/dev\/loop0 uses \/srv\/data0\/file/],
  'current folder': [/^REQ-051: process \d+ \(.*\) has files open on \/srv\/data0/],
  'modules missing': [/^REQ-038: .*dm-crypt/, /^REQ-038: .*vfat/],
};
const errors: Readonly<Record<string, string>> = { tmpfs: 'KNK-VOL-0103', 'nothing there': 'KNK-VOL-0100' };

test('the checks on a real kernel: each thing that a disk can be is refused or accepted, and nothing is written', async () => {
  await using vm = await makeScratchVm(smallVm);
  const disks = ['a', 'b', 'c'].map((name) => {
    const path = join(vm.folder, `${name}.img`);
    writeFileSync(path, '');
    truncateSync(path, 200 * 1024 * 1024);
    return path;
  });
  const sights = await runInUml<readonly Sight[]>({
    scenario: join(import.meta.dirname, 'scenarios/disk-check.ts'),
    disks,
    memoryMiB: 512,
    timeoutSeconds: 300,
  });
  assert.deepEqual(
    sights.map(({ situation }) => situation).sort(),
    [...Object.keys(expected), ...Object.keys(errors)].sort(),
  );
  for (const { situation, refusals, error, volumes, sectorsWritten } of sights) {
    const shown = `${situation}: ${JSON.stringify({ refusals, error, volumes }, null, 2)}`;
    assert.equal(error, errors[situation] ?? null, shown);
    if (error !== null) continue;
    const patterns = expected[situation] ?? [];
    assert.equal(refusals.length, patterns.length, shown);
    for (const [index, pattern] of patterns.entries()) assert.match(refusals[index] ?? '', pattern, shown);
    assert.equal(volumes.length, 1, shown);
    // An array marks itself clean a moment after its last write.
    if (!situation.includes('mirror')) assert.equal(sectorsWritten, 0, shown);
  }
});
