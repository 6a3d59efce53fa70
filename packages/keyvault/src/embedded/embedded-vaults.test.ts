import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { rename, rm, stat, writeFile } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { SecretBytes } from '@kannuki/core';
import { ScratchFolder, ScratchVault } from '../testing/scratch-vaults.ts';
import { rsaKeySizes } from './embedded-vault.ts';
import { EmbeddedVaults } from './embedded-vaults.ts';

const plain = { contentType: null, tags: {} };

function secret(text: string): SecretBytes {
  return SecretBytes.take(Buffer.from(text));
}

async function textOf(vault: { getSecret(id: string): Promise<{ value: SecretBytes }> }, id: string): Promise<string> {
  const { value } = await vault.getSecret(id);
  using bytes = value;
  return Buffer.from(bytes.bytes).toString();
}

describe('secrets of an embedded vault', () => {
  it('keep every version, newest first without one in the id', async () => {
    await using scratch = await ScratchVault.make();
    const { vault } = scratch;
    const ids: string[] = [];
    for (const text of ['one', 'two', 'three']) ids.push((await vault.setSecret('name', secret(text), plain)).id);
    assert.equal(new Set(ids).size, 3);
    assert.equal(await textOf(vault, `${vault.vaultUri}secrets/name`), 'three');
    assert.equal(await textOf(vault, `${vault.vaultUri}secrets/name/`), 'three');
    assert.equal(await textOf(vault, `${vault.vaultUri}secrets/NAME`.toUpperCase().replace('HTTPS', 'https')), 'three');
    for (const [index, text] of ['one', 'two', 'three'].entries())
      assert.equal(await textOf(vault, ids[index] ?? ''), text);
    assert.deepEqual(
      vault.secretVersions('name').map(({ id }) => id),
      ids,
    );
    assert.deepEqual(
      vault.listSecrets().map(({ id }) => id),
      [ids[2]],
    );
  });

  it('keep tags and content type, and are there after a restart', async () => {
    await using folder = await ScratchFolder.make();
    const attributes = { contentType: 'Wrapped BEK', tags: { MachineName: 'vm1', 日本: '語' } };
    let id: string;
    {
      await using vaults = await EmbeddedVaults.open(folder.vaultFiles());
      ({ id } = await (await vaults.createVault('kv1')).setSecret('a', secret('value'), attributes));
    }
    await using vaults = await EmbeddedVaults.open({ ...folder.vaultFiles(), create: false });
    assert.deepEqual(vaults.names(), ['kv1']);
    const vault = vaults.vault('KV1');
    const { value, ...stored } = await vault.getSecret(id);
    using bytes = value;
    assert.equal(Buffer.from(bytes.bytes).toString(), 'value');
    assert.deepEqual(stored, { id, enabled: true, ...attributes });
  });

  it('hold up to 25 KiB of text and no more', async () => {
    await using scratch = await ScratchVault.make();
    const { id } = await scratch.vault.setSecret('large', secret('x'.repeat(25 * 1024)), plain);
    assert.equal((await textOf(scratch.vault, id)).length, 25 * 1024);
    const refused = {
      large: secret('x'.repeat(25 * 1024 + 1)),
      empty: secret(''),
      binary: SecretBytes.take(Buffer.of(255)),
    };
    for (const [what, value] of Object.entries(refused)) {
      await assert.rejects(scratch.vault.setSecret('no', value, plain), { code: 'KNK-KVT-0007' }, what);
    }
    const tags = Object.fromEntries(Array.from({ length: 16 }, (_, index) => [`tag${index}`, '']));
    for (const attributes of [
      { contentType: 'x'.repeat(256), tags: {} },
      { contentType: null, tags },
      { contentType: null, tags: { '': 'x' } },
      { contentType: null, tags: { name: 'x'.repeat(513) } },
    ]) {
      await assert.rejects(scratch.vault.setSecret('no', secret('x'), attributes), { code: 'KNK-KVT-0007' });
    }
    assert.deepEqual(scratch.vault.listSecrets().length, 1);
  });

  it('take names as Azure does', async () => {
    await using scratch = await ScratchVault.make();
    for (const name of ['a', 'A-1', '-', 'x'.repeat(127)]) await scratch.vault.setSecret(name, secret('x'), plain);
    for (const name of ['', 'a_b', 'a/b', 'a b', '閂', 'x'.repeat(128), 'a\n', "a'--"]) {
      await assert.rejects(scratch.vault.setSecret(name, secret('x'), plain), { code: 'KNK-KVT-0008' }, name);
      await assert.rejects(scratch.vault.createKey(name), { code: 'KNK-KVT-0008' }, name);
    }
  });

  it('are refused when disabled, and told from those that are not there', async () => {
    await using scratch = await ScratchVault.make();
    const { vault } = scratch;
    const { id } = await vault.setSecret('name', secret('x'), plain);
    await vault.setSecretEnabled(`${vault.vaultUri}secrets/name`, false);
    await assert.rejects(vault.getSecret(id), { code: 'KNK-KVT-0004' });
    assert.equal(vault.secretVersions('name')[0]?.enabled, false);
    await vault.setSecretEnabled(id, true);
    assert.equal(await textOf(vault, id), 'x');
    const unknown = ['secrets/other', `secrets/name/${'0'.repeat(32)}`].map((path) => `${vault.vaultUri}${path}`);
    for (const other of [...unknown, `https://other.vault.localhost/secrets/name`]) {
      await assert.rejects(vault.getSecret(other), { code: 'KNK-KVT-0003' }, other);
      await assert.rejects(vault.setSecretEnabled(other, false), { code: 'KNK-KVT-0003' }, other);
    }
    for (const wrong of ['', 'name', `${vault.vaultUri}keys/name`, `${vault.vaultUri}secrets/name/short`]) {
      await assert.rejects(vault.getSecret(wrong), { code: 'KNK-KVT-0008' }, wrong);
    }
  });

  it('are written one after the other however many are asked for at once', async () => {
    await using scratch = await ScratchVault.make();
    const texts = Array.from({ length: 40 }, (_, index) => `value ${index}`);
    const ids = await Promise.all(texts.map((text) => scratch.vault.setSecret('same', secret(text), plain)));
    assert.deepEqual(
      scratch.vault.secretVersions('same').map(({ id }) => id),
      ids.map(({ id }) => id),
    );
    for (const [index, { id }] of ids.entries()) assert.equal(await textOf(scratch.vault, id), texts[index]);
  });
});

describe('keys of an embedded vault', () => {
  for (const bits of rsaKeySizes) {
    it(`wrap and unwrap with RSA of ${bits} bits`, async () => {
      await using scratch = await ScratchVault.make();
      const key = await scratch.vault.createKey('kek', { bits });
      assert.deepEqual(await scratch.vault.keyInfo(`${scratch.vault.vaultUri}keys/kek`), key);
      assert.equal(key.kind, 'RSA');
      assert.equal(key.bits, bits);
      for (const [algorithm, overhead] of [
        ['RSA-OAEP', 42],
        ['RSA-OAEP-256', 66],
      ] as const) {
        using longest = SecretBytes.random(bits / 8 - overhead);
        const { keyId, value } = await scratch.vault.wrapKey(`${scratch.vault.vaultUri}keys/kek`, algorithm, longest);
        assert.equal(keyId, key.id);
        assert.equal(value.length, bits / 8);
        using unwrapped = await scratch.vault.unwrapKey(key.id, algorithm, value);
        assert.ok(unwrapped.equals(longest));
        using tooLong = SecretBytes.random(bits / 8 - overhead + 1);
        await assert.rejects(scratch.vault.wrapKey(key.id, algorithm, tooLong), { code: 'KNK-KVT-0018' });
      }
    });
  }

  it('do not unwrap what another version, algorithm or hand made', async () => {
    await using scratch = await ScratchVault.make();
    const { vault } = scratch;
    const first = await vault.createKey('kek');
    const second = await vault.createKey('kek');
    using value = secret('value');
    const { value: wrapped } = await vault.wrapKey(first.id, 'RSA-OAEP', value);
    const newest = `${vault.vaultUri}keys/kek`;
    assert.equal((await vault.keyInfo(newest)).id, second.id);
    await assert.rejects(vault.unwrapKey(newest, 'RSA-OAEP', wrapped), { code: 'KNK-KVT-0018' });
    await assert.rejects(vault.unwrapKey(first.id, 'RSA-OAEP-256', wrapped), { code: 'KNK-KVT-0018' });
    for (const wrong of [wrapped.subarray(1), Buffer.alloc(256), Buffer.alloc(0), Buffer.alloc(10_000)]) {
      await assert.rejects(vault.unwrapKey(first.id, 'RSA-OAEP', wrong), { code: 'KNK-KVT-0018' });
    }
    assert.deepEqual(
      vault.keyVersions('kek').map(({ id }) => id),
      [first.id, second.id],
    );
    assert.deepEqual(
      vault.listKeys().map(({ id }) => id),
      [second.id],
    );
  });

  it('do nothing when disabled, and only what they may', async () => {
    await using scratch = await ScratchVault.make();
    const { vault } = scratch;
    const key = await vault.createKey('kek');
    using value = secret('value');
    const { value: wrapped } = await vault.wrapKey(key.id, 'RSA-OAEP', value);
    await vault.setKeyEnabled(key.id, false);
    assert.equal((await vault.keyInfo(key.id)).enabled, false);
    await assert.rejects(vault.wrapKey(key.id, 'RSA-OAEP', value), { code: 'KNK-KVT-0004' });
    await assert.rejects(vault.unwrapKey(key.id, 'RSA-OAEP', wrapped), { code: 'KNK-KVT-0004' });
    await vault.setKeyEnabled(key.id, true);
    using unwrapped = await vault.unwrapKey(key.id, 'RSA-OAEP', wrapped);
    assert.ok(unwrapped.equals(value));
    const wrapOnly = await vault.createKey('wrap-only', { operations: ['wrapKey'] });
    const other = await vault.wrapKey(wrapOnly.id, 'RSA-OAEP', value);
    await assert.rejects(vault.unwrapKey(wrapOnly.id, 'RSA-OAEP', other.value), { code: 'KNK-KVT-0002' });
  });

  it('are not made in other sizes', async () => {
    await using scratch = await ScratchVault.make();
    for (const bits of [1024, 2047, 8192, 0]) {
      await assert.rejects(scratch.vault.createKey('kek', { bits: bits as 2048 }), { code: 'KNK-KVT-0008' });
    }
  });
});

describe('several vaults in one database', () => {
  it('share nothing but the file', async () => {
    await using scratch = await ScratchVault.make('first');
    const second = await scratch.vaults.createVault('second');
    const { id } = await scratch.vault.setSecret('same', secret('of the first'), plain);
    const other = await second.setSecret('same', secret('of the second'), plain);
    await assert.rejects(second.getSecret(id), { code: 'KNK-KVT-0003' });
    assert.equal(await textOf(second, other.id), 'of the second');
    const key = await scratch.vault.createKey('kek');
    await assert.rejects(second.keyInfo(key.id), { code: 'KNK-KVT-0003' });
    assert.deepEqual(second.listKeys(), []);
    assert.deepEqual(scratch.vaults.names(), ['first', 'second']);
  });

  it('are purged whole, however much is in them, and leave the others as they are', async () => {
    await using scratch = await ScratchVault.make('first');
    const second = await scratch.vaults.createVault('second');
    const terms = { retentionDays: 90, purgeProtection: true, premium: false };
    for (const vault of [scratch.vault, second]) {
      const names = Array.from({ length: vault === second ? 205 : 3 }, (_, index) => `name-${index}`);
      await Promise.all(names.map((name) => vault.setSecret(name, secret(name), plain)));
      await vault.setSecret('name-0', secret('again'), plain);
      await vault.secrets.delete('name-1', terms);
      await vault.createKey('kek');
    }
    await scratch.vaults.purgeVault('SECOND');
    await scratch.vaults.purgeVault('second');
    assert.deepEqual(scratch.vaults.names(), ['first']);
    assert.throws(() => scratch.vaults.vault('second'), { code: 'KNK-KVT-0003' });
    await assert.rejects(second.setSecret('late', secret('x'), plain), { code: 'KNK-KVT-0003' });
    await assert.rejects(second.keys.get('kek', null), { code: 'KNK-KVT-0003' });
    const fresh = await scratch.vaults.createVault('second');
    assert.deepEqual([fresh.listKeys(), fresh.listSecrets()], [[], []]);
    await scratch.vaults.close();
    await using vaults = await EmbeddedVaults.open(scratch.folder.vaultFiles());
    assert.equal(vaults.vault('first').listSecrets().length, 2);
    assert.equal((await vaults.vault('first').secrets.recover('name-1')).name, 'name-1');
  });

  it('answer to ids with any port: clients see that of the server', async () => {
    await using scratch = await ScratchVault.make('first');
    const { id } = await scratch.vault.setSecret('name', secret('text'), plain);
    for (const port of [':443', ':8443']) {
      assert.equal(await textOf(scratch.vault, id.replace('.localhost', `.localhost${port}`)), 'text');
    }
    await assert.rejects(scratch.vault.getSecret(id.replace('first', 'other')), { code: 'KNK-KVT-0003' });
  });

  it('have names as Azure wants them, and are made once', async () => {
    await using scratch = await ScratchVault.make('Kv-One');
    assert.equal(scratch.vault.vaultUri, 'https://kv-one.vault.localhost/');
    await scratch.vault.setSecret('a', secret('x'), plain);
    assert.equal((await scratch.vaults.createVault('KV-ONE')).listSecrets().length, 1);
    for (const name of ['ab', 'x'.repeat(25), '1abc', 'a--b', 'abc-', 'a_bc', 'a.bc', '', '../x']) {
      await assert.rejects(scratch.vaults.createVault(name), { code: 'KNK-KVT-0008' }, name);
      assert.throws(() => scratch.vaults.vault(name), { code: 'KNK-KVT-0003' });
    }
  });

  it('take their address from the DNS suffix', async () => {
    await using folder = await ScratchFolder.make();
    const dnsSuffix = 'vault.example.com:8443';
    await using vaults = await EmbeddedVaults.open({ ...folder.vaultFiles(), dnsSuffix });
    const vault = await vaults.createVault('kv1');
    const { id } = await vault.setSecret('a', secret('x'), plain);
    assert.match(id, /^https:\/\/kv1\.vault\.example\.com:8443\/secrets\/a\/[0-9a-f]{32}$/);
    assert.equal(await textOf(vault, id), 'x');
    for (const wrong of ['', '.x', 'a/b', 'a b', 'x:port']) {
      await assert.rejects(EmbeddedVaults.open({ ...folder.vaultFiles(), dnsSuffix: wrong }), { code: 'KNK-KVT-0008' });
    }
  });
});

describe('opening the database', () => {
  it('is refused while another process has it, without touching it, and works after', async () => {
    await using scratch = await ScratchVault.make();
    await scratch.vault.setSecret('a', secret('x'), plain);
    const script = `
      import { EmbeddedVaults } from ${JSON.stringify(new URL('./embedded-vaults.ts', import.meta.url).href)};
      const files = ${JSON.stringify(scratch.folder.vaultFiles())};
      const error = await EmbeddedVaults.open({ ...files, lockWaitSeconds: 0.2 }).then(() => undefined, (reason) => reason);
      console.log(JSON.stringify({ code: error?.code, exitCode: error?.exitCode, message: error?.message }));`;
    const attempt = async (): Promise<{ code?: string; exitCode?: number; message?: string }> => {
      const args = ['--input-type=module-typescript', '-e', script];
      return JSON.parse((await promisify(execFile)(process.execPath, args)).stdout) as { code?: string };
    };
    const refused = await attempt();
    assert.equal(refused.code, 'KNK-KVT-0009');
    assert.equal(refused.exitCode, 75);
    assert.match(refused.message ?? '', /in use by another process/);
    await assert.rejects(EmbeddedVaults.open({ ...scratch.folder.vaultFiles(), lockWaitSeconds: 0 }), {
      code: 'KNK-KVT-0009',
    });
    await scratch.vault.setSecret('b', secret('y'), plain);
    await scratch.vaults.close();
    assert.deepEqual(await attempt(), {});
  });

  it('ends with close: nothing that was in use before works on', async () => {
    await using scratch = await ScratchVault.make();
    const { vault } = scratch;
    const kek = await vault.createKey('kek');
    const { id } = await vault.setSecret('name', secret('x'), plain);
    using value = secret('value');
    const wrapped = await vault.wrapKey(kek.id, 'RSA-OAEP', value);
    using unwrapped = await vault.unwrapKey(kek.id, 'RSA-OAEP', wrapped.value);
    assert.ok(unwrapped.equals(value));
    await scratch.vaults.close();
    const calls = [
      () => vault.unwrapKey(kek.id, 'RSA-OAEP', wrapped.value),
      () => vault.keys.get('kek', null),
      () => vault.getSecret(id),
      () => vault.setSecret('name', secret('y'), plain),
      () => vault.secrets.list({ limit: 1, after: null }),
      () => vault.keys.delete('kek', { retentionDays: 90, purgeProtection: false, premium: false }),
    ];
    for (const call of calls) await assert.rejects(call(), { code: 'KNK-KVT-0027' }, call.toString());
  });

  it('waits for another that lets go soon', async () => {
    await using scratch = await ScratchVault.make();
    const opening = EmbeddedVaults.open(scratch.folder.vaultFiles());
    await new Promise((resolve) => setTimeout(resolve, 200));
    await scratch.vaults.close();
    await (await opening).close();
  });

  it('never makes a new root key for an old database', async () => {
    await using scratch = await ScratchVault.make();
    await scratch.vaults.close();
    const { databaseFile, rootKeyFile } = scratch.folder.vaultFiles();
    await rename(rootKeyFile, `${rootKeyFile}.away`);
    await assert.rejects(EmbeddedVaults.open({ databaseFile, rootKeyFile }), { code: 'KNK-KVT-0013' });
    await assert.rejects(stat(rootKeyFile), { code: 'ENOENT' });

    const other = await ScratchVault.make();
    await using _ = other;
    await assert.rejects(EmbeddedVaults.open({ databaseFile, rootKeyFile: other.folder.vaultFiles().rootKeyFile }), {
      code: 'KNK-KVT-0012',
    });
    await rename(`${rootKeyFile}.away`, rootKeyFile);
    await (await EmbeddedVaults.open({ databaseFile, rootKeyFile })).close();
  });

  it('makes nothing when told not to', async () => {
    await using folder = await ScratchFolder.make();
    await assert.rejects(EmbeddedVaults.open({ ...folder.vaultFiles(), create: false }), { code: 'KNK-KVT-0013' });
    for (const file of Object.values(folder.vaultFiles())) await assert.rejects(stat(String(file)), { code: 'ENOENT' });
  });

  it("refuses files that are no database, another program's, or of a newer program", async () => {
    await using folder = await ScratchFolder.make();
    const files = folder.vaultFiles();
    await (await EmbeddedVaults.open(files)).close();
    const alter = (sql: string): void => {
      const database = new DatabaseSync(files.databaseFile);
      database.exec(sql);
      database.close();
    };
    alter(`INSERT INTO migrations VALUES (999, 'from the future', 0)`);
    await assert.rejects(EmbeddedVaults.open(files), { code: 'KNK-KVT-0017' });
    alter('PRAGMA application_id = 1');
    await assert.rejects(EmbeddedVaults.open(files), { code: 'KNK-KVT-0010' });
    await rm(files.databaseFile);
    alter('CREATE TABLE foreign_table (id INTEGER)');
    await assert.rejects(EmbeddedVaults.open(files), { code: 'KNK-KVT-0010' });
    await writeFile(files.databaseFile, 'this is no database'.repeat(1000));
    await assert.rejects(EmbeddedVaults.open(files), { code: 'KNK-KVT-0010' });
    const databaseFile = folder.file('no/such/folder/vault.db');
    await assert.rejects(EmbeddedVaults.open({ ...files, databaseFile }), { code: 'KNK-KVT-0020' });
    const rootKeyFile = folder.file('no/such/folder/root.key');
    await assert.rejects(EmbeddedVaults.open({ databaseFile, rootKeyFile }), { code: 'KNK-KVT-0020' });
  });

  it('keeps database and backup private, whatever the umask', async () => {
    const before = process.umask(0);
    try {
      await using scratch = await ScratchVault.make();
      const { id } = await scratch.vault.setSecret('a', secret('in the backup'), plain);
      const backup = scratch.folder.file('backup.db');
      await scratch.vaults.backup(backup);
      const { databaseFile, rootKeyFile } = scratch.folder.vaultFiles();
      for (const file of [databaseFile, `${databaseFile}-wal`, backup, rootKeyFile]) {
        assert.equal((await stat(file)).mode & 0o777, 0o600, file);
      }
      await assert.rejects(scratch.vaults.backup(backup), { code: 'KNK-KVT-0020' });
      await using restored = await EmbeddedVaults.open({ databaseFile: backup, rootKeyFile });
      assert.equal(await textOf(restored.vault('kv-test'), id), 'in the backup');
    } finally {
      process.umask(before);
    }
  });
});
