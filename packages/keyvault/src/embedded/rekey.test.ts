import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, readdir, readFile } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { SecretBytes } from '@kannuki/core';
import { ScratchFolder, ScratchVault } from '../testing/scratch-vaults.ts';
import { EmbeddedVaults } from './embedded-vaults.ts';

const child = fileURLToPath(new URL('../testing/rekey-child.ts', import.meta.url));
const wrapAlgorithm = 'RSA-OAEP';

/** A closed vault with a key, what it wrapped, and a few secrets. */
interface Prepared {
  readonly folder: ScratchFolder;
  readonly secrets: ReadonlyMap<string, string>;
  readonly keyId: string;
  readonly wrapped: Uint8Array;
}

let original: Prepared;
before(async () => {
  const { folder, vault, vaults } = await ScratchVault.make();
  const key = await vault.createKey('kek');
  const { value: wrapped } = await vault.wrapKey(key.id, wrapAlgorithm, secret('wrapped'));
  const secrets = new Map<string, string>();
  for (const name of ['a', 'a', 'b']) {
    const text = `value ${secrets.size}`;
    secrets.set((await vault.setSecret(name, secret(text), { contentType: null, tags: {} })).id, text);
  }
  await vaults.close();
  original = { folder, secrets, keyId: key.id, wrapped };
});
after(() => original.folder[Symbol.asyncDispose]());

function secret(text: string): SecretBytes {
  return SecretBytes.take(Buffer.from(text));
}

async function copied(): Promise<ScratchFolder> {
  const folder = await ScratchFolder.make();
  for (const name of await readdir(original.folder.path)) {
    await copyFile(original.folder.file(name), folder.file(name));
  }
  return folder;
}

async function assertAllThere(vaults: EmbeddedVaults): Promise<void> {
  const vault = vaults.vault('kv-test');
  for (const [id, text] of original.secrets) {
    using value = (await vault.getSecret(id)).value;
    assert.equal(Buffer.from(value.bytes).toString(), text);
  }
  using unwrapped = await vault.unwrapKey(original.keyId, wrapAlgorithm, original.wrapped);
  assert.ok(unwrapped.equals(secret('wrapped')));
}

/** @returns what it printed, or undefined where it was killed */
async function rekeyInChild(folder: string, killAt: number): Promise<string | undefined> {
  const running = spawn(process.execPath, [child, folder, String(killAt)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  running.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const [code, signal] = await once(running, 'close');
  assert.ok(code === 0 || signal === 'SIGKILL', `it ended with ${code}`);
  return code === 0 ? output : undefined;
}

/** Every sealed data key and the sealed row key, as they stand in the file. */
function sealedKeys(file: string): readonly Buffer[] {
  const database = new DatabaseSync(file);
  const rows = [
    'SELECT data_key AS k FROM key_versions',
    'SELECT data_key AS k FROM secret_versions',
    'SELECT row_key AS k FROM root_keys',
  ];
  const keys = rows.flatMap((sql) =>
    database
      .prepare(sql)
      .all()
      .map((row) => Buffer.from(row.k as Uint8Array)),
  );
  database.close();
  return keys;
}

async function filesWith(folder: ScratchFolder, needles: readonly Buffer[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const name of await readdir(folder.path)) {
    const content = await readFile(folder.file(name));
    if (needles.some((needle) => content.includes(needle))) found.push(name);
  }
  return found;
}

describe('a rekey', () => {
  it('keeps every value, and makes the old root key and what it sealed useless', async () => {
    await using folder = await copied();
    const files = folder.vaultFiles();
    const old = sealedKeys(files.databaseFile);
    assert.equal(old.length, 5);
    assert.deepEqual(await filesWith(folder, old), ['vault.db'], 'the search finds them where they are');
    await copyFile(files.rootKeyFile, folder.file('old.key'));
    {
      await using vaults = await EmbeddedVaults.open(files);
      const before = vaults.rootKeyId;
      const id = await vaults.rekey({ kind: 'file' });
      assert.ok(id !== before && id === vaults.rootKeyId);
      await assertAllThere(vaults);
      assert.deepEqual(await filesWith(folder, old), [], 'while it is open');
      await assert.rejects(EmbeddedVaults.open({ ...files, lockWaitSeconds: 0 }), { code: 'KNK-KVT-0009' });
    }
    assert.deepEqual(await filesWith(folder, old), []);
    assert.deepEqual((await readdir(folder.path)).sort(), ['old.key', 'root.key', 'vault.db']);
    const withOld = EmbeddedVaults.open({ ...files, rootKeyFile: folder.file('old.key') });
    await assert.rejects(withOld, { code: 'KNK-KVT-0012' });
    await using again = await EmbeddedVaults.open(files);
    await assertAllThere(again);
  });

  it('lets others read meanwhile, and write after it', async () => {
    await using folder = await copied();
    await using vaults = await EmbeddedVaults.open(folder.vaultFiles());
    const vault = vaults.vault('kv-test');
    const ids: string[] = [];
    // More than a page of rows.
    for (let count = 0; count < 520; count += 1) {
      ids.push((await vault.setSecret('many', secret(`m${count}`), { contentType: null, tags: {} })).id);
    }
    let done = false;
    const rekeyed = Promise.all([vaults.rekey({ kind: 'file' }), vaults.rekey({ kind: 'file' })]).finally(() => {
      done = true;
    });
    const written = vault.setSecret('during', secret('during'), { contentType: null, tags: {} });
    let reads = 0;
    for (; !done; reads += 1) {
      using value = (await vault.getSecret(ids[reads % ids.length] ?? '')).value;
      assert.equal(Buffer.from(value.bytes).toString(), `m${reads % ids.length}`);
    }
    assert.ok(reads > 0);
    assert.equal((await rekeyed)[1], vaults.rootKeyId);
    using value = (await vault.getSecret((await written).id)).value;
    assert.ok(value.equals(secret('during')));
    await assertAllThere(vaults);
  });

  it('changes nothing where a row is not as it was written', async () => {
    await using folder = await copied();
    const files = folder.vaultFiles();
    const vaults = await EmbeddedVaults.open(files);
    const id = vaults.rootKeyId;
    await vaults.close();
    const damaged = new DatabaseSync(files.databaseFile);
    damaged.exec('UPDATE secret_versions SET data_key = zeroblob(61) WHERE id = 2');
    damaged.close();
    await using opened = await EmbeddedVaults.open(files);
    await assert.rejects(opened.rekey({ kind: 'file' }), { code: 'KNK-KVT-0010' });
    assert.equal(opened.rootKeyId, id);
    assert.deepEqual(
      (await readdir(folder.path)).filter((name) => name.includes('next')),
      [],
    );
    await opened.vault('kv-test').getSecret([...original.secrets.keys()][0] ?? '');
  });

  it('can be killed before any of its steps: the next open has every value and one root key', {
    timeout: 120_000,
  }, async () => {
    await using whole = await copied();
    const total = Number(await rekeyInChild(whole.path, 0));
    assert.ok(total > 8, `${total} steps`);
    const oldId = await idOf(original.folder);
    const outcomes = new Set<string>();
    const kill = async (at: number): Promise<void> => {
      await using folder = await copied();
      assert.equal(await rekeyInChild(folder.path, at), undefined, `it was killed before step ${at}`);
      await using vaults = await EmbeddedVaults.open({ ...folder.vaultFiles(), create: false });
      await assertAllThere(vaults);
      outcomes.add(vaults.rootKeyId === oldId ? 'old' : 'new');
      const left = (await readdir(folder.path)).filter((name) => !name.startsWith('vault.db'));
      assert.deepEqual(left, ['root.key'], `step ${at}`);
      assert.equal(await idOf(folder), vaults.rootKeyId);
    };
    const steps = Array.from({ length: total }, (_, index) => index + 1);
    const workers = Array.from({ length: 2 }, async () => {
      for (let at = steps.shift(); at !== undefined; at = steps.shift()) await kill(at);
    });
    await Promise.all(workers);
    assert.deepEqual([...outcomes].sort(), ['new', 'old']);
  });

  it('does not take a root key that the database does not know, wherever it lies', async () => {
    await using folder = await copied();
    await using other = await ScratchVault.make();
    const files = folder.vaultFiles();
    await copyFile(other.folder.vaultFiles().rootKeyFile, `${files.rootKeyFile}.next`);
    await (await EmbeddedVaults.open(files)).close();
    assert.deepEqual(
      (await readdir(folder.path)).filter((name) => name.includes('next')),
      [],
    );
    await mkdir(`${files.rootKeyFile}.next`);
    await assert.rejects(EmbeddedVaults.open(files), { code: 'KNK-KVT-0020' });
  });
});

async function idOf(folder: ScratchFolder): Promise<string> {
  return (await readFile(folder.vaultFiles().rootKeyFile)).subarray(8, 24).toString('hex');
}
