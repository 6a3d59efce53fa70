import assert from 'node:assert/strict';
import { chmod, chown, mkdir, writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import { KannukiError, SecretBytes } from '@kannuki/core';
import { EmbeddedVaults } from '../embedded/embedded-vaults.ts';
import { SealableVaults } from '../embedded/sealable-vaults.ts';
import { ScratchFolder } from '../testing/scratch-vaults.ts';
import { withCheckSum } from './file-format.ts';
import { newRawRootKey } from './memory-root-key.ts';
import { createRootKeyFile, encodeRootKey, readRawRootKey } from './root-key-file.ts';
import { credentialFile, readSecretFile } from './secret-file.ts';

const words = 'PASSPHRASE-canary-correct-horse';

function passphrase(text = words): SecretBytes {
  return SecretBytes.take(Buffer.from(text));
}

async function failure(work: Promise<unknown>): Promise<KannukiError> {
  const error: unknown = await work.then(
    () => assert.fail('it did not fail'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof KannukiError, inspect(error));
  assert.ok(!inspect(error, { depth: 9, showHidden: true }).includes('canary'));
  return error;
}

/** Bits of entropy a byte, from how often each value is there. */
function entropy(content: Uint8Array): number {
  const counts = Array.from({ length: 256 }, () => 0);
  for (const byte of content) counts[byte] = (counts[byte] ?? 0) + 1;
  return counts.reduce((sum, count) => {
    const share = count / content.length;
    return count === 0 ? sum : sum - share * Math.log2(share);
  }, 0);
}

describe('a root key under a passphrase', () => {
  it('opens with it alone, and the file shows neither; one error for all that does not fit', async () => {
    await using folder = await ScratchFolder.make();
    const path = folder.file('root.key');
    using raw = newRawRootKey();
    using content = await encodeRootKey(raw, { kind: 'passphrase', passphrase: passphrase() });
    const read = (bytes: Uint8Array, given = words): Promise<unknown> =>
      writeFile(path, bytes, { mode: 0o600 }).then(() =>
        readRawRootKey(path, 'own', { passphrase: async () => passphrase(given) }),
      );
    {
      using again = (await read(content.bytes)) as typeof raw;
      assert.ok(again.key.equals(raw.key));
    }
    const file = Buffer.from(content.bytes);
    for (const needle of [
      Buffer.from(raw.key.bytes).subarray(0, 8),
      Buffer.from(words),
      Buffer.from(words.slice(0, 10)),
    ]) {
      assert.equal(file.includes(needle), false);
    }
    // 32 bytes of salt, 12 and 16 of nonce and tag, 32 of key: 92 that nobody can tell from random ones.
    assert.ok(entropy(file.subarray(27, -8)) > 5.5, `${entropy(file.subarray(27, -8))} bits`);

    const wrong = await failure(read(content.bytes, 'another passphrase'));
    const forged = Buffer.from(content.bytes.subarray(0, -8));
    forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
    const otherId = Buffer.from(content.bytes.subarray(0, -8));
    otherId[10] = (otherId[10] ?? 0) ^ 1;
    const alike = [await failure(read(withCheckSum(forged))), await failure(read(withCheckSum(otherId)))];
    assert.equal(wrong.code, 'KNK-KVT-0041');
    for (const one of alike) assert.deepEqual([one.code, one.message], [wrong.code, wrong.message]);
    for (const given of ['', 'x'.repeat(1025)])
      assert.equal((await failure(read(content.bytes, given))).code, wrong.code);
  });

  it('asks for no more memory and time than a bound, whatever its file says, and for no less', async () => {
    await using folder = await ScratchFolder.make();
    const path = folder.file('root.key');
    using raw = newRawRootKey();
    using content = await encodeRootKey(raw, { kind: 'passphrase', passphrase: passphrase() });
    const sound = Buffer.from(content.bytes.subarray(0, -8));
    // log2 N, r, p.
    const hostile = [
      [30, 8, 1],
      [63, 8, 1],
      [255, 8, 1],
      [19, 8, 1],
      [16, 8, 1],
      [1, 8, 1],
      [0, 8, 1],
      [17, 255, 1],
      [17, 1, 1],
      [17, 8, 255],
      [17, 8, 0],
    ];
    for (const parameters of hostile) {
      const changed = Buffer.from(sound);
      changed.set(parameters, 24);
      await writeFile(path, withCheckSum(changed), { mode: 0o600 });
      const error = await failure(readRawRootKey(path, 'own', { passphrase: async () => passphrase() }));
      assert.equal(error.code, 'KNK-KVT-0011', String(parameters));
    }
    const damaged = [sound, sound.subarray(0, 30), Buffer.concat([sound, Buffer.alloc(9)]), Buffer.alloc(5000)];
    for (const bytes of [...damaged, ...damaged.slice(1, 3).map(withCheckSum)]) {
      await writeFile(path, bytes, { mode: 0o600 });
      assert.equal(
        (await failure(readRawRootKey(path, 'own', { passphrase: async () => passphrase() }))).code,
        'KNK-KVT-0011',
      );
    }
    for (const short of ['', 'eleven byte', 'x'.repeat(1025)]) {
      const made = createRootKeyFile(folder.file('new'), { kind: 'passphrase', passphrase: passphrase(short) });
      assert.equal((await failure(made)).code, 'KNK-KVT-0022');
    }
  });
});

describe('a passphrase or PIN in a file', () => {
  it('is read without its line end, from a private file only', async () => {
    await using folder = await ScratchFolder.make();
    const path = folder.file('passphrase');
    const cases = [
      ['one\n', 'one'],
      ['one\r\n', 'one'],
      ['one', 'one'],
      [' one \n\n', ' one \n'],
      ['\n', ''],
    ] as const;
    for (const [content, expected] of cases) {
      await writeFile(path, content, { mode: 0o600 });
      using read = await readSecretFile(path, 'the passphrase');
      assert.equal(Buffer.from(read.bytes).toString(), expected);
    }
    await chmod(path, 0o640);
    assert.equal((await failure(readSecretFile(path, 'the passphrase'))).code, 'KNK-KVT-0044');
    assert.equal((await failure(readSecretFile(folder.file('none'), 'the passphrase'))).code, 'KNK-KVT-0044');
    await writeFile(path, 'x'.repeat(2000));
    await chmod(path, 0o600);
    assert.equal((await failure(readSecretFile(path, 'the passphrase'))).code, 'KNK-KVT-0044');
  });
});

describe('a root key as a credential of systemd', () => {
  it('is read with the modes that systemd gives, and no wider ones; nothing is made in its place', async () => {
    await using folder = await ScratchFolder.make();
    const directory = folder.file('credentials');
    await mkdir(directory, { mode: 0o700 });
    const rootKeyCredential = credentialFile('kannuki-root-key', { CREDENTIALS_DIRECTORY: directory });
    assert.ok(rootKeyCredential !== undefined && credentialFile('kannuki-root-key', {}) === undefined);
    const options = { ...folder.vaultFiles(), rootKeyCredential, source: 'credential' } as const;
    assert.equal((await failure(SealableVaults.open(options))).code, 'KNK-KVT-0013');
    await createRootKeyFile(rootKeyCredential);
    for (const mode of [0o400, 0o440, 0o600]) {
      await chmod(rootKeyCredential, mode);
      await (await SealableVaults.open(options)).close();
    }
    for (const mode of [0o444, 0o404, 0o460, 0o500]) {
      await chmod(rootKeyCredential, mode);
      assert.equal((await failure(SealableVaults.open(options))).code, 'KNK-KVT-0011', mode.toString(8));
    }
    await chmod(rootKeyCredential, 0o400);
    if (process.geteuid?.() === 0) {
      await chown(rootKeyCredential, 65534, 65534);
      assert.equal((await failure(SealableVaults.open(options))).code, 'KNK-KVT-0011');
      await chown(rootKeyCredential, 0, 0);
    }
    // It cannot be replaced: a rekey goes to the vault's own folder, and the database says which of the two counts.
    const sealable = await SealableVaults.open(options);
    const id = await sealable.rekey('file', undefined);
    await sealable.close();
    await using again = await EmbeddedVaults.open(options);
    assert.equal(again.rootKeyId, id);
  });
});
