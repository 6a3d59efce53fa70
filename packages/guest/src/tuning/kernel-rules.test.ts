import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { flagsOf, type KernelVersion, readKernel } from './kernel-rules.ts';

const cases: readonly (readonly [KernelVersion | null, boolean, boolean])[] = [
  [null, false, false],
  [[5, 8, 18], false, false],
  // The flags are there and so is the tasklet that is freed too early: CVE-2024-26718.
  [[5, 10, 234], false, false],
  [[5, 14, 0], false, true],
  [[5, 15, 168], false, true],
  [[5, 15, 169], true, true],
  [[6, 1, 78], false, true],
  [[6, 1, 79], true, true],
  [[6, 5, 13], false, true],
  [[6, 6, 18], true, true],
  [[6, 7, 5], false, true],
  [[6, 7, 6], true, true],
  [[6, 8, 0], true, true],
  [[10, 0, 0], true, true],
];
for (const [version, read, write] of cases) {
  test(`work queues can be done without on Linux ${version?.join('.') ?? 'unknown'}: reads ${read}, writes ${write}`, () => {
    assert.deepEqual(flagsOf({ release: '', version }), { read, write });
  });
}

const kernels = [
  {
    name: 'Debian tells the stable version in its banner only',
    release: '6.1.0-18-cloud-amd64',
    banner:
      'Linux version 6.1.0-18-cloud-amd64 (debian-kernel@lists.debian.org) (gcc-12 (Debian 12.2.0-14) 12.2.0, GNU ld (GNU Binutils for Debian) 2.40) #1 SMP PREEMPT_DYNAMIC Debian 6.1.76-1 (2024-02-01)',
    version: [6, 1, 76],
  },
  {
    name: 'Ubuntu tells it in a file of its own',
    release: '5.15.0-125-generic',
    banner: 'Linux version 5.15.0-125-generic (buildd@lcy02-amd64-083) #135-Ubuntu SMP',
    signature: 'Ubuntu 5.15.0-125.135-generic 5.15.167\n',
    version: [5, 15, 167],
  },
  {
    name: 'who tells nothing gets the oldest of the series',
    release: '5.14.0-427.13.1.el9_4.x86_64',
    banner: 'Linux version 5.14.0-427.13.1.el9_4.x86_64 (mockbuild@iad1-prod-build001)',
    version: [5, 14, 0],
  },
  {
    name: 'a kernel from the source',
    release: '6.1.176',
    banner: 'Linux version 6.1.176 (buildd@x86-grnet-03)',
    version: [6, 1, 176],
  },
  { name: 'a new series without a third number', release: '7.0-rc1', banner: '', version: [7, 0, 0] },
  { name: 'nonsense', release: 'linux', banner: '', version: null },
];
for (const { name, release, banner, signature, version } of kernels) {
  test(`kernel version: ${name}`, async (t) => {
    const root = mkdtempSync(join(tmpdir(), 'kannuki-kernel-'));
    t.after(() => rmSync(root, { recursive: true }));
    mkdirSync(join(root, 'proc/sys/kernel'), { recursive: true });
    writeFileSync(join(root, 'proc/sys/kernel/osrelease'), `${release}\n`);
    writeFileSync(join(root, 'proc/version'), `${banner}\n`);
    if (signature !== undefined) writeFileSync(join(root, 'proc/version_signature'), signature);
    assert.deepEqual(await readKernel({ root }), { release, version });
  });
}
