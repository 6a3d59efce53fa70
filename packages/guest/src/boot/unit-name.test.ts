import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from '@kannuki/core';
import { unitName } from './unit-name.ts';

test('unit names are those that systemd-escape(1) makes', async () => {
  for (const path of [
    '/',
    '/data0',
    '/srv/my data',
    '/a-b/c_d',
    '/.hidden',
    '/x/.y',
    '/データ',
    '/dev/disk/by-uuid/1A2B-3C4D',
    '/a//b/',
  ]) {
    const { stdout } = await run('systemd-escape', ['--path', '--suffix=mount', path]);
    assert.equal(unitName(path, 'mount'), stdout.trim(), path);
  }
});
