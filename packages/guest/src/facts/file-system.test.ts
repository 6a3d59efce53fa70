import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { run } from '@kannuki/core';
import fc from 'fast-check';
import { parseBtrfsSuperblock, parseExtSuperblock, parseXfsSuperblock, readFileSystem } from './file-system.ts';

const folder = mkdtempSync(join(tmpdir(), 'kannuki-superblock-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Makes a file system in a sparse file with the real program. */
async function made(program: string, ...args: readonly string[]): Promise<string> {
  const path = join(folder, `${program}${args.join('')}`.replaceAll(/[^\w.]/g, '_'));
  writeFileSync(path, '');
  truncateSync(path, 512 * 1024 * 1024);
  await run(program, [...args, path]);
  return path;
}

describe('superblocks of real file systems', () => {
  const cases: readonly (readonly [readonly [string, ...string[]], number, number])[] = [
    [['mkfs.ext2', '-q', '-b', '1024'], 1024, 1024],
    [['mkfs.ext3', '-q', '-b', '2048'], 2048, 2048],
    [['mkfs.ext4', '-q', '-b', '4096'], 4096, 4096],
    [['mkfs.xfs', '-q'], 4096, 512],
    [['mkfs.xfs', '-q', '-s', 'size=4096'], 4096, 4096],
    [['mkfs.xfs', '-q', '-b', 'size=1024'], 1024, 512],
    [['mkfs.btrfs', '-q'], 4096, 4096],
  ];
  for (const [[program, ...args], blockBytes, sectorBytes] of cases) {
    test(`${program} ${args.join(' ')}`, async () => {
      const fact = await readFileSystem(await made(program, ...args));
      assert.deepEqual(fact, { blockBytes, sectorBytes, hasOtherDevices: false });
    });
  }

  test('ext4 with its journal on another device', async () => {
    const path = await made('mkfs.ext4', '-q', '-b', '4096');
    const bytes = await firstBytes(path);
    assert.equal(parseExtSuperblock(bytes)?.hasOtherDevices, false);
    // What `mke2fs -J device=…` writes: no inode for the journal. The program itself wants a block device for it.
    bytes.writeUInt32LE(0, 1024 + 0xe0);
    assert.equal(parseExtSuperblock(bytes)?.hasOtherDevices, true);
  });

  test('a journal device of its own', async () => {
    const fact = await readFileSystem(await made('mke2fs', '-q', '-F', '-O', 'journal_dev'));
    assert.equal(fact?.hasOtherDevices, true);
  });

  test('btrfs over several devices, and one that tells nonsense', async () => {
    const paths = ['a', 'b'].map((name) => join(folder, `btrfs.${name}`));
    for (const path of paths) {
      writeFileSync(path, '');
      truncateSync(path, 256 * 1024 * 1024);
    }
    await run('mkfs.btrfs', ['-q', '-m', 'raid1', ...paths]);
    for (const path of paths) assert.equal((await readFileSystem(path))?.hasOtherDevices, true);
    const bytes = await firstBytes(paths[0] ?? '');
    for (const size of [0, 1000, 1 << 20]) {
      bytes.writeUInt32LE(size, 65536 + 0x90);
      assert.equal(parseBtrfsSuperblock(bytes), null);
    }
    assert.equal(parseBtrfsSuperblock(bytes.subarray(0, 65600)), null);
  });

  test('XFS with its log on another device', async () => {
    const log = join(folder, 'xfs.log');
    writeFileSync(log, '');
    truncateSync(log, 128 * 1024 * 1024);
    const fact = await readFileSystem(await made('mkfs.xfs', '-q', '-l', `logdev=${log},size=64m`));
    assert.equal(fact?.hasOtherDevices, true);
  });

  for (const program of ['mkswap', 'mkfs.vfat']) {
    test(`${program} is neither`, async () => assert.equal(await readFileSystem(await made(program)), null));
  }

  test('an empty file is neither', async () => {
    const path = join(folder, 'empty');
    writeFileSync(path, '');
    assert.equal(await readFileSystem(path), null);
  });
});

async function firstBytes(path: string): Promise<Buffer> {
  const { open } = await import('node:fs/promises');
  await using file = await open(path, 'r');
  return (await file.read(Buffer.alloc(68 * 1024), 0, 68 * 1024, 0)).buffer;
}

/** Bytes with the two magic numbers in place, so that everything behind them is looked at. */
const hostile = fc
  .tuple(fc.uint8Array({ minLength: 0, maxLength: 4096 }), fc.constantFrom('ext', 'xfs', 'none'))
  .map(([array, magic]) => {
    const bytes = Buffer.from(array);
    if (magic === 'ext' && bytes.length >= 1082) bytes.writeUInt16LE(0xef53, 1080);
    if (magic === 'xfs' && bytes.length >= 4) bytes.writeUInt32BE(0x58465342, 0);
    return bytes;
  });

test('whatever the bytes are, sizes are powers of two within the limits of the file systems, or nothing', () => {
  fc.assert(
    fc.property(hostile, (bytes) => {
      for (const fact of [parseExtSuperblock(bytes), parseXfsSuperblock(bytes)]) {
        if (fact === null) continue;
        for (const size of [fact.blockBytes, fact.sectorBytes]) {
          assert.ok(Number.isInteger(Math.log2(size)) && size >= 512 && size <= 65536, String(size));
        }
      }
    }),
    { numRuns: 2000 },
  );
});
