import assert from 'node:assert/strict';
import { chmod, chown, readdir, readFile, rename, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { KannukiError, SecretBytes } from '@kannuki/core';
import { ScratchFolder } from '../testing/scratch-vaults.ts';
import { createRootKeyFile, readRootKeyFile } from './root-key-file.ts';

async function refusal(path: string): Promise<KannukiError> {
  const error: unknown = await readRootKeyFile(path).then(
    () => assert.fail('it was read'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof KannukiError);
  return error;
}

describe('the root key file', () => {
  it('is made with mode 0600, complete, and never in the place of another', async () => {
    await using folder = await ScratchFolder.make();
    const path = folder.file('root.key');
    assert.equal(await createRootKeyFile(path), true);
    const first = await readFile(path);
    assert.equal((await stat(path)).mode & 0o7777, 0o600);
    assert.equal(await createRootKeyFile(path), false);
    assert.deepEqual(await readFile(path), first);
    assert.deepEqual(await readdir(folder.path), ['root.key'], 'nothing else is left');
  });

  it('is made whole by one of many who try at once', async () => {
    await using folder = await ScratchFolder.make();
    const path = folder.file('root.key');
    const made = await Promise.all(Array.from({ length: 8 }, () => createRootKeyFile(path)));
    assert.equal(made.filter(Boolean).length, 1);
    (await readRootKeyFile(path)).close();
  });

  it('seals and opens, bound to its context and to itself', async () => {
    await using folder = await ScratchFolder.make();
    await createRootKeyFile(folder.file('a'));
    await createRootKeyFile(folder.file('b'));
    const [a, b] = [await readRootKeyFile(folder.file('a')), await readRootKeyFile(folder.file('b'))];
    assert.match(a.id, /^[0-9a-f]{32}$/);
    assert.notEqual(a.id, b.id);
    using dataKey = SecretBytes.random(32);
    const context = Buffer.from('context');
    const sealed = await a.seal(dataKey, context);
    using opened = await a.open(sealed, context);
    assert.ok(opened?.equals(dataKey));
    assert.equal(await a.open(sealed, Buffer.from('other')), undefined);
    assert.equal(await b.open(sealed, context), undefined);
    for (let at = 0; at < sealed.length; at += 1) {
      const flipped = Uint8Array.from(sealed);
      flipped[at] = (flipped[at] ?? 0) ^ 1;
      assert.equal(await a.open(flipped, context), undefined, `byte ${at}`);
      assert.equal(await a.open(sealed.subarray(0, at), context), undefined, `cut at ${at}`);
    }
    a.close();
    b.close();
    await assert.rejects(a.seal(dataKey, context), { code: 'KNK-KVT-0027' });
    await assert.rejects(a.open(sealed, context), { code: 'KNK-KVT-0027' });
  });

  it('is refused with any other mode', async () => {
    await using folder = await ScratchFolder.make();
    const path = folder.file('root.key');
    await createRootKeyFile(path);
    for (const mode of [0o640, 0o604, 0o660, 0o644, 0o700, 0o400, 0o4600]) {
      await chmod(path, mode);
      const error = await refusal(path);
      assert.equal(error.code, 'KNK-KVT-0011', mode.toString(8));
      assert.equal(error.exitCode, 78);
    }
    await chmod(path, 0o600);
    (await readRootKeyFile(path)).close();
  });

  it('is refused when another user owns it', { skip: process.geteuid?.() !== 0 && 'needs root' }, async () => {
    await using folder = await ScratchFolder.make();
    const path = folder.file('root.key');
    await createRootKeyFile(path);
    await chown(path, 65534, 65534);
    assert.equal((await refusal(path)).code, 'KNK-KVT-0011');
  });

  it('is refused as a link, a folder, cut, longer, or with a flipped bit', async () => {
    await using folder = await ScratchFolder.make();
    const path = folder.file('root.key');
    await createRootKeyFile(path);
    await symlink(path, folder.file('link'));
    assert.equal((await refusal(folder.file('link'))).code, 'KNK-KVT-0011');
    assert.equal((await refusal(folder.path)).code, 'KNK-KVT-0011');
    const content = await readFile(path);
    const damaged = [...content.keys()].map((at) => {
      const flipped = Buffer.from(content);
      flipped[at] = (flipped[at] ?? 0) ^ 0x80;
      return flipped;
    });
    for (const wrong of [...damaged, Buffer.concat([content, Buffer.of(0)])]) {
      await writeFile(folder.file('wrong'), wrong, { mode: 0o600 });
      const error = await refusal(folder.file('wrong'));
      assert.equal(error.code, 'KNK-KVT-0011');
      assert.ok(!error.message.includes(content.subarray(24, 56).toString('hex')));
    }
    await truncate(path, 63);
    assert.equal((await refusal(path)).code, 'KNK-KVT-0011');
    await rename(path, folder.file('away'));
    assert.equal((await refusal(path)).code, 'KNK-KVT-0013');
  });
});
