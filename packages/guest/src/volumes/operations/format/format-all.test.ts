import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { confirmFormatAll, mayBeFormatted, withdrawConfirmation } from './format-all.ts';
import type { VolumeIdentity } from './identity.ts';

const disk: VolumeIdentity = { device: '/dev/disk/by-id/a', sizeBytes: 1024, serial: 's', fileSystemUuid: 'u' };

test('the first request may format what it lists; a repeated one only what was confirmed, all of it the same, or holds no file', () => {
  assert.equal(mayBeFormatted(undefined, disk, false), true);
  assert.equal(mayBeFormatted([disk], disk, false), true);
  assert.equal(mayBeFormatted([], disk, false), false);
  assert.equal(mayBeFormatted([], disk, true), true);
  for (const change of [{ device: '/dev/x' }, { sizeBytes: 1 }, { serial: null }, { fileSystemUuid: 'v' }]) {
    assert.equal(mayBeFormatted([disk], { ...disk, ...change }, false), false, JSON.stringify(change));
  }
});

test('what was formatted is not confirmed any more; the others still are', async () => {
  const state = mkdtempSync(join(tmpdir(), 'kannuki-format-'));
  after(() => rmSync(state, { recursive: true }));
  const other = { ...disk, serial: 't' };
  await withdrawConfirmation({ state }, disk);
  await confirmFormatAll({ state }, [disk, other]);
  await withdrawConfirmation({ state }, disk);
  const record = JSON.parse(readFileSync(join(state, 'format-all.json'), 'utf8')) as { confirmed: unknown };
  assert.deepEqual(record.confirmed, [other]);
});
