import assert from 'node:assert/strict';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from '@kannuki/core';
import { installBootLoader } from './boot-loader.ts';
import { addBundle } from './bundle-layer.ts';
import { imageLayout, sfdiskScript } from './layout.ts';

const layout = imageLayout(8, 16);

async function makeDisk(folder: string): Promise<string> {
  const disk = join(folder, 'disk.raw');
  const file = await open(disk, 'wx');
  await file.truncate(layout.diskBytes);
  await file.close();
  await run('sfdisk', ['--quiet', '--no-reread', '--no-tell-kernel', disk], { input: sfdiskScript(layout) });
  return disk;
}

test('the partition table is one that sfdisk finds good, with every partition where the layout says', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kannuki-layout-'));
  try {
    const disk = await makeDisk(folder);
    await run('sfdisk', ['--verify', disk]);
    const { stdout } = await run('sfdisk', ['--json', disk]);
    const { partitiontable: table } = JSON.parse(stdout) as {
      partitiontable: { label: string; partitions: { start: number; size: number; name: string }[] };
    };
    assert.equal(table.label, 'gpt');
    assert.deepEqual(
      table.partitions.map(({ start, size, name }) => ({ start: start * 512, size: size * 512, name })),
      [layout.biosBoot, layout.boot, layout.root].map(({ offsetBytes, sizeBytes, name }) => ({
        start: offsetBytes,
        size: sizeBytes,
        name,
      })),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('the boot loader is chained by sector numbers and leaves the partition table alone', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kannuki-boot-'));
  try {
    const disk = await makeDisk(folder);
    const table = (await readFile(disk)).subarray(440, 34 * 512);
    const core = Buffer.alloc(3 * 512 + 100, 0xcc);
    await writeFile(join(folder, 'boot.img'), Buffer.alloc(512, 0xbb));
    await writeFile(join(folder, 'core.img'), core);
    await installBootLoader(disk, layout, join(folder, 'boot.img'), join(folder, 'core.img'));

    const bytes = await readFile(disk);
    const first = layout.biosBoot.offsetBytes / 512;
    assert.deepEqual(bytes.subarray(440, 34 * 512), table);
    assert.equal(bytes.readBigUInt64LE(0x5c), BigInt(first), 'the boot sector loads the first sector of core.img');
    assert.equal(bytes[0], 0xbb);
    const start = layout.biosBoot.offsetBytes;
    assert.equal(bytes.readBigUInt64LE(start + 500), BigInt(first + 1), 'which loads the rest');
    assert.equal(bytes.readUInt16LE(start + 508), 3, 'of three sectors, the last of them begun');
    assert.deepEqual(bytes.subarray(start + 512, start + core.length), core.subarray(512));

    await writeFile(join(folder, 'core.img'), Buffer.alloc(layout.biosBoot.sizeBytes + 1));
    await assert.rejects(
      installBootLoader(disk, layout, join(folder, 'boot.img'), join(folder, 'core.img')),
      /does not fit/,
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('the agent goes into a root file system without a mount', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kannuki-bundle-'));
  try {
    const disk = await makeDisk(folder);
    const { offsetBytes, sizeBytes } = layout.root;
    await run('mke2fs', ['-q', '-F', '-t', 'ext4', '-E', `offset=${offsetBytes}`, disk, `${sizeBytes / 1024}k`]);
    const device = `${disk}?offset=${offsetBytes}`;
    const bundle = join(folder, 'bundle');
    await writeFile(bundle, 'console.log(1)\n'.repeat(5000));
    await assert.rejects(addBundle(disk, layout, bundle, folder), 'there is no /usr/lib/kannuki in it');
    await run('debugfs', ['-w', '-f', '-', device], { input: 'mkdir usr\nmkdir usr/lib\nmkdir usr/lib/kannuki\n' });
    await addBundle(disk, layout, bundle, folder);
    const { stdout } = await run('debugfs', ['-R', 'stat /usr/lib/kannuki/kannuki.mjs', device]);
    assert.match(stdout, /Mode:\s+0644/);
    assert.match(stdout, /User:\s+0\s+Group:\s+0/);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
