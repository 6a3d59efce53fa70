import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, open, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { run } from '../command/run.ts';
import { makeDirectoryDurably, removeDurably, renameDurably, writeAll, writeFileDurably } from './durable.ts';

const root = await mkdtemp(join(tmpdir(), 'kannuki-durable-'));
after(() => rm(root, { recursive: true }));

async function folder(name: string): Promise<string> {
  const path = join(root, name);
  await mkdir(path);
  return path;
}

test('writes a new file with content and mode, whatever the umask', async () => {
  const path = join(await folder('new'), 'a');
  const before = process.umask(0o077);
  try {
    await writeFileDurably(path, 'one', 0o644);
  } finally {
    process.umask(before);
  }
  assert.equal(await readFile(path, 'utf8'), 'one');
  assert.equal((await stat(path)).mode & 0o777, 0o644);
});

test('replaces a file and leaves nothing else behind', async () => {
  const directory = await folder('replace');
  const path = join(directory, 'a');
  await writeFileDurably(path, 'one', 0o600);
  await writeFileDurably(path, Buffer.from([0, 255, 10]), 0o600);
  assert.deepEqual(await readFile(path), Buffer.from([0, 255, 10]));
  assert.deepEqual(await readdir(directory), ['a']);
});

test('what an interrupted write left behind does not stand in the way', async () => {
  const directory = await folder('interrupted');
  await writeFile(join(directory, '.a.new'), 'half of');
  await writeFileDurably(join(directory, 'a'), 'whole');
  assert.equal(await readFile(join(directory, 'a'), 'utf8'), 'whole');
  assert.deepEqual(await readdir(directory), ['a']);
});

test('a link planted at the temporary name is not followed', async () => {
  const directory = await folder('planted');
  const victim = join(directory, 'victim');
  await writeFile(victim, 'untouched');
  await symlink(victim, join(directory, '.a.new'));
  await writeFileDurably(join(directory, 'a'), 'mine');
  assert.equal(await readFile(victim, 'utf8'), 'untouched');
  assert.equal(await readFile(join(directory, 'a'), 'utf8'), 'mine');
});

test('a write that cannot be done leaves the old content', async () => {
  const directory = await folder('failing');
  const path = join(directory, 'a');
  await writeFileDurably(path, 'old');
  await mkdir(join(directory, '.a.new'));
  await assert.rejects(writeFileDurably(path, 'new'));
  assert.equal(await readFile(path, 'utf8'), 'old');
});

test('a write that fails says of which file', async () => {
  const directory = await folder('full');
  await run('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', directory]);
  try {
    const path = join(directory, 'a');
    await assert.rejects(writeFileDurably(path, Buffer.alloc(1024 * 1024)), { code: 'ENOSPC', path });
  } finally {
    await run('umount', [directory]);
  }
});

test('a write that the disk takes only a part of is an error, and not a short file', async () => {
  const directory = await folder('nearly-full');
  await run('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', directory]);
  try {
    await using file = await open(join(directory, 'a'), 'w');
    await assert.rejects(writeAll(file, Buffer.alloc(1024 * 1024), 0), { code: 'ENOSPC' });
    assert.equal((await file.stat()).size, 64 * 1024);
    await writeAll(file, Buffer.from('whole'), 3);
    assert.equal((await file.stat()).size, 64 * 1024);
  } finally {
    await run('umount', [directory]);
  }
});

test('a missing folder is an error, not a new folder', async () => {
  await assert.rejects(writeFileDurably(join(root, 'nowhere', 'a'), 'x'), { code: 'ENOENT' });
});

test('rename and remove; removing what is not there is done already', async () => {
  const directory = await folder('rename');
  await writeFileDurably(join(directory, 'a'), 'one');
  await renameDurably(join(directory, 'a'), join(directory, 'b'));
  assert.deepEqual(await readdir(directory), ['b']);
  await removeDurably(join(directory, 'b'));
  await removeDurably(join(directory, 'b'));
  assert.deepEqual(await readdir(directory), []);
});

test('makes a folder with its parents, and again without harm', async () => {
  const path = join(root, 'deep', 'er', 'still');
  await makeDirectoryDurably(path, 0o700);
  await makeDirectoryDurably(path, 0o700);
  assert.ok(existsSync(path));
  assert.equal((await stat(path)).mode & 0o777, 0o700);
});
