import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { hasCode } from '@kannuki/core';
import { SigningKeys } from './signing-keys.ts';

const day = 24 * 3600 * 1000;
const start = Date.UTC(2030, 0, 1);

class Keys implements AsyncDisposable {
  readonly folder: string;
  readonly failures: unknown[] = [];
  now = start;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async make(): Promise<Keys> {
    return new Keys(await mkdtemp(join(tmpdir(), 'kannuki-keys-')));
  }

  get file(): string {
    return join(this.folder, 'token-keys.json');
  }

  open(): SigningKeys {
    return new SigningKeys({
      folder: this.folder,
      now: () => this.now,
      onFailure: (error) => this.failures.push(error),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Everything that is due is done. */
async function at(keys: SigningKeys): Promise<{ readonly signer: string; readonly published: readonly string[] }> {
  await keys.published();
  await keys.settled();
  return { signer: (await keys.signer()).kid, published: (await keys.published()).map(({ kid }) => kid) };
}

test('a new key every 30 days, published a week before, known a day and more after; the same after each restart', async () => {
  await using world = await Keys.make();
  let keys = world.open();
  const first = await at(keys);
  assert.deepEqual(first.published, [first.signer]);
  const seen: [number, number, boolean][] = [];
  for (const days of [22, 23, 29.9, 30, 31, 31.1, 52, 53, 60, 62]) {
    world.now = start + days * day;
    if (days === 30 || days === 53) keys = world.open();
    const { signer, published } = await at(keys);
    seen.push([days, published.length, signer === first.signer]);
    assert.ok(published.includes(signer));
  }
  assert.deepEqual(seen, [
    [22, 1, true],
    [23, 2, true],
    [29.9, 2, true],
    [30, 2, false],
    [31, 2, false],
    [31.1, 1, false],
    [52, 1, false],
    [53, 2, false],
    [60, 2, false],
    [62, 1, false],
  ]);
  assert.equal(await keys.publicKey(first.signer), undefined);
  assert.deepEqual(world.failures, []);
});

test('a server that slept through the change publishes the next key a day before it signs', async () => {
  await using world = await Keys.make();
  const first = await at(world.open());
  world.now += 300 * day;
  const keys = world.open();
  const late = await at(keys);
  assert.equal(late.signer, first.signer);
  assert.equal(late.published.length, 2);
  world.now += day;
  assert.notEqual((await at(keys)).signer, first.signer);
});

test('a clock that went back signs with the oldest key and makes no new one', async () => {
  await using world = await Keys.make();
  const first = await at(world.open());
  world.now -= 400 * day;
  assert.deepEqual(await at(world.open()), first);
});

test('many at one time make one key; it is on disk, private, before anybody sees it', async () => {
  await using world = await Keys.make();
  const keys = world.open();
  const kids = await Promise.all(Array.from({ length: 20 }, async () => (await keys.signer()).kid));
  assert.equal(new Set(kids).size, 1);
  assert.equal((await stat(world.file)).mode & 0o777, 0o600);
  assert.ok((await readFile(world.file, 'utf8')).includes(kids[0] ?? '-'));
  assert.deepEqual(await readdir(world.folder), ['token-keys.json']);
  const [published] = await keys.published();
  assert.deepEqual(Object.keys(published ?? {}).sort(), ['alg', 'e', 'kid', 'kty', 'n', 'use'], 'nothing private');
});

test('what a crash leaves works: half of a new file beside the old, or none at all', async () => {
  await using world = await Keys.make();
  const first = await at(world.open());
  await writeFile(join(world.folder, '.token-keys.json.new'), '{"keys":[{"kid":"x');
  world.now += 25 * day;
  const next = await at(world.open());
  assert.equal(next.signer, first.signer);
  assert.equal(next.published.length, 2);
  await rm(world.file);
  assert.notEqual((await at(world.open())).signer, first.signer, 'lost keys cost new tokens only');
});

test('a file that cannot be trusted is refused and stays as it is', async () => {
  await using world = await Keys.make();
  await at(world.open());
  const good = await readFile(world.file, 'utf8');
  const refused = (error: unknown): boolean => hasCode(error, 'KNK-IDT-0004');
  for (const bad of ['', '{', '{"keys":[]}', good.replace('BEGIN', 'BEGUN'), good.replace('"activeAt"', '"other"')]) {
    await writeFile(world.file, bad);
    await assert.rejects(world.open().signer(), refused, bad.slice(0, 20));
    assert.equal(await readFile(world.file, 'utf8'), bad);
  }
  await writeFile(world.file, good);
  await chmod(world.file, 0o640);
  await assert.rejects(world.open().signer(), refused);
  await chmod(world.file, 0o600);
  await world.open().signer();
});

test('where the next key cannot be stored the present one signs on, the operator is told, and it is tried again', async () => {
  await using world = await Keys.make();
  const keys = world.open();
  const first = await at(keys);
  const content = await readFile(world.file);
  await rm(world.folder, { recursive: true });
  world.now += 25 * day;
  assert.deepEqual(await at(keys), first);
  assert.equal(world.failures.length, 1);
  await mkdir(world.folder, { mode: 0o700 });
  await writeFile(world.file, content, { mode: 0o600 });
  assert.deepEqual(await at(keys), first);
  world.now += 60_000;
  assert.equal((await at(keys)).published.length, 2);
});
