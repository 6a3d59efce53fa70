import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { hasCode } from '@kannuki/core';
import { fstabHelper, fstabLines } from './fstab-helper.ts';

const partitions = [
  { uuid: '0aa2c8b7-0000-4000-8000-000000000001', fileSystem: 'ext4' },
  { uuid: '0aa2c8b7-0000-4000-8000-000000000002', fileSystem: 'ext4' },
];
const lines = [
  'UUID=0aa2c8b7-0000-4000-8000-000000000001 /data0 ext4 defaults,nofail 0 0',
  'UUID=0aa2c8b7-0000-4000-8000-000000000002 /data1 ext4 defaults,nofail 0 0',
];

test('REQ-055: exactly these two lines', () => {
  assert.deepEqual(fstabLines(partitions), lines);
});

test('REQ-055: the commands work as they stand, with sudo', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kannuki-helper-'));
  try {
    const fstab = join(folder, 'fstab');
    writeFileSync(fstab, '# first\n');
    const script = fstabHelper(partitions)
      .replaceAll('/etc/fstab', fstab)
      .replaceAll('/data', `${folder}/data`)
      .replaceAll('sudo mount -a', 'test -d "$DIR/data0" && test -d "$DIR/data1"')
      .replaceAll('sudo ', 'env ');
    execFileSync('sh', ['-euc', script], { env: { PATH: '/usr/bin:/bin', DIR: folder } });
    assert.equal(readFileSync(fstab, 'utf8').replaceAll(`${folder}/data`, '/data'), `# first\n${lines.join('\n')}\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('what is no UUID never comes into a command', () => {
  for (const uuid of ['', 'x y', "a'; rm -rf /", 'a\nb']) {
    assert.throws(
      () => fstabHelper([{ uuid, fileSystem: 'ext4' }]),
      (error) => hasCode(error, 'KNK-VOL-0101'),
    );
  }
});
