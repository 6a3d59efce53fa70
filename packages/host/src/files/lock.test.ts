import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { hasCode } from '@kannuki/core';
import { withLock } from './lock.ts';

test('one at a time, in whatever order; a failure frees the lock; waiting is bounded', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kannuki-lock-'));
  const path = join(folder, 'lock');
  try {
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      inside += 1;
      most = Math.max(most, inside);
      await new Promise((resolve) => setTimeout(resolve, 20));
      inside -= 1;
    };
    await Promise.all([1, 2, 3, 4].map(() => withLock(path, 10, work)));
    assert.equal(most, 1);

    await assert.rejects(
      withLock(path, 5, () => Promise.reject(new Error('inside'))),
      /inside/,
    );
    assert.equal(await withLock(path, 5, async () => 'free'), 'free');

    await withLock(path, 5, async () => {
      await assert.rejects(withLock(path, 0.2, work), (error) => hasCode(error, 'KNK-HST-0008'));
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
