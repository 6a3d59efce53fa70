import assert from 'node:assert/strict';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { appendFile, chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { hasCode } from '@kannuki/core';
import { ImageStore } from './image-store.ts';
import { hashFile } from './inputs.ts';

let folder: string;
let store: ImageStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kannuki-images-'));
  store = new ImageStore(join(folder, 'images'));
  await store.prepare();
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function add(content: string): Promise<string> {
  const disk = join(store.folder, '.new');
  await writeFile(disk, content);
  const image = await store.add(disk, {
    name: 'one',
    urn: 'A:B:C:D',
    format: 'raw',
    sizeBytes: content.length,
    sha256: await hashFile(disk),
    builtAt: '2026-01-01T00:00:00.000Z',
    inputsSha256: 'f'.repeat(64),
  });
  return image.path;
}

test('a new image of the same name leaves the old disk to the machines that stand on it', async () => {
  const old = await add('first');
  const fresh = await add('second');
  assert.notEqual(old, fresh);
  assert.equal((await store.find('one'))?.path, fresh);
  assert.equal(statSync(fresh).mode & 0o222, 0, 'nobody writes to it by accident');

  await store.collect(new Set([old]));
  assert.ok(existsSync(old));
  await store.collect(new Set());
  assert.equal(existsSync(old), false);
  assert.ok(existsSync(fresh));
  assert.deepEqual(
    (await store.list()).map((image) => image.fileName),
    readdirSync(store.folder).filter((name) => name.endsWith('.raw')),
  );
});

test('an image whose disk is gone or has another size is not there', async () => {
  assert.equal(await store.find('one'), undefined);
  const path = await add('content');
  await chmod(path, 0o600);
  await appendFile(path, 'x');
  assert.equal(await store.find('one'), undefined);
  await rm(path);
  assert.equal(await store.find('one'), undefined);
  assert.deepEqual(await store.list(), []);
});

test('a damaged manifest is an error that names the file', async () => {
  await add('content');
  const path = join(store.folder, 'one.json');
  for (const text of [
    '{',
    '[]',
    'null',
    '{}',
    '{"name":"one","urn":"","sha256":"../../x","builtAt":"","inputsSha256":""}',
  ]) {
    await writeFile(path, text);
    await assert.rejects(
      store.find('one'),
      (error) => hasCode(error, 'KNK-HST-0015') && error.message.includes(path),
      text,
    );
  }
});
