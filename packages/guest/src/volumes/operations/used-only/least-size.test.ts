import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from '@kannuki/core';
import { readExtGeometry } from './ext-geometry.ts';
import { checkUnmounted, fileSystemBytes, minimumBytes, shrinkTo } from './ext-tools.ts';
import { leastSize } from './least-size.ts';

const mebibyte = 1024 * 1024;

/** By a shell in the root of the file system. */
const contents: Readonly<Record<string, string>> = {
  'files of some MiB': 'head -c 150M /dev/urandom | split -b 7M - f',
  'thousands of small files': 'for d in a b c; do mkdir $d; head -c 6M /dev/urandom | split -a 4 -b 5000 - $d/f; done',
  'what is left of a full disk, in pieces':
    'head -c 4G /dev/zero | split -a 4 -b 1M - f 2>/dev/null; sync; rm f*[!aep]; for f in f*; do echo $f >$f; head -c 600K /dev/zero >>$f; done',
};
const shapes: Readonly<Record<string, readonly string[]>> = {
  'as mkfs makes it': ['-b', '4096'],
  'small rows, small groups': ['-b', '4096', '-G', '4', '-g', '4096'],
  'blocks of 1024 bytes': ['-b', '1024'],
};

async function onMounted(image: string, command: string): Promise<string> {
  const point = mkdtempSync(join(tmpdir(), 'kannuki-least-'));
  await run('mount', ['-o', 'loop', image, point]);
  try {
    const { stdout } = await run('sh', ['-c', `cd ${point} && ${command}`], { timeoutSeconds: 300 });
    return stdout;
  } finally {
    await run('umount', [point]);
    rmSync(point, { recursive: true });
  }
}

const hashes = 'find . -type f -print0 | sort -z | xargs -0 -r sha256sum';

for (const [shape, options] of Object.entries(shapes)) {
  for (const [content, command] of Object.entries(contents)) {
    test(`the least size is enough for resize2fs, and every file is whole: ${shape}; ${content}`, async () => {
      const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'kannuki-least-'));
      try {
        const image = join(folder, 'image');
        writeFileSync(image, '');
        truncateSync(image, (options.includes('1024') ? 600 : 1536) * mebibyte);
        await run('mke2fs', ['-q', '-F', '-t', 'ext4', ...options, image]);
        await onMounted(image, command);
        const before = await onMounted(image, hashes);
        const geometry = (await readExtGeometry(image)) ?? assert.fail('not read');
        assert.notEqual(geometry.flex, null);
        const least = await leastSize(run, image, geometry);
        assert.ok(least <= (await minimumBytes(run, image, geometry.blockBytes)));
        // Without the room that the engine leaves besides: the hardest case.
        const wanted = Math.ceil(least / 4096) * 4096;
        await checkUnmounted(run, image);
        await shrinkTo(run, image, wanted, null);
        assert.ok((await fileSystemBytes(image)) <= wanted);
        await run('e2fsck', ['-f', '-n', image]);
        assert.equal(await onMounted(image, hashes), before);
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  }
}
