import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from '@kannuki/core';
import { bytesBehind, readExtGeometry } from './ext-geometry.ts';
import { checkUnmounted, fileSystemBytes, growToDevice, minimumBytes, repairUnmounted, shrinkTo } from './ext-tools.ts';

const mebibyte = 1024 * 1024;

async function withImage(bytes: number, options: readonly string[], use: (image: string) => Promise<void>) {
  const folder = mkdtempSync(join(tmpdir(), 'kannuki-ext-'));
  try {
    const image = join(folder, 'image');
    writeFileSync(image, '');
    truncateSync(image, bytes);
    if (options.length > 0) await run('mke2fs', ['-q', '-F', ...options, image]);
    await use(image);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('a fresh ext4: sizes as made, next to nothing used, nothing to move', async () => {
  await withImage(1024 * mebibyte, ['-t', 'ext4', '-b', '4096'], async (image) => {
    const geometry = (await readExtGeometry(image)) ?? assert.fail('not read');
    assert.equal(geometry.sizeBytes, 1024 * mebibyte);
    assert.equal(geometry.blockBytes, 4096);
    assert.equal(geometry.groupBytes, 128 * mebibyte);
    assert.equal(geometry.usedInGroups.length, 8);
    assert.ok(geometry.canBeResized);
    assert.ok(geometry.freeBytes > 900 * mebibyte);
    assert.ok(bytesBehind(geometry, 512 * mebibyte) <= 64 * mebibyte);
  });
});

test('what ext4 and ext2 with small blocks, without 64-bit, say is read too', async () => {
  for (const options of [
    ['-t', 'ext4', '-O', '^64bit', '-b', '1024'],
    ['-t', 'ext2', '-b', '1024'],
  ]) {
    await withImage(64 * mebibyte, options, async (image) => {
      const geometry = (await readExtGeometry(image)) ?? assert.fail('not read');
      assert.equal(geometry.sizeBytes, 64 * mebibyte);
      assert.equal(geometry.usedInGroups.length, 8);
    });
  }
});

test('one that could not grow back while it is mounted is known; what is no ext file system is null', async () => {
  await withImage(64 * mebibyte, ['-t', 'ext4', '-O', '^resize_inode'], async (image) => {
    assert.equal((await readExtGeometry(image))?.canBeResized, false);
  });
  await withImage(64 * mebibyte, [], async (image) => {
    assert.equal(await readExtGeometry(image), null);
    await assert.rejects(fileSystemBytes(image), { code: 'KNK-VOL-0060' });
  });
});

test('shrunk to more than its minimum, and grown back', async () => {
  await withImage(512 * mebibyte, ['-t', 'ext4', '-b', '4096'], async (image) => {
    const minimum = await minimumBytes(run, image, 4096);
    assert.ok(minimum > mebibyte && minimum < 256 * mebibyte);
    await checkUnmounted(run, image);
    await shrinkTo(run, image, 256 * mebibyte, null);
    assert.equal(await fileSystemBytes(image), 256 * mebibyte);
    await repairUnmounted(run, image);
    // A file is cut off by resize2fs; a disk keeps its size.
    truncateSync(image, 512 * mebibyte);
    await growToDevice(run, image, null);
    assert.equal(await fileSystemBytes(image), 512 * mebibyte);
  });
});
