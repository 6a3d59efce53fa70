import assert from 'node:assert/strict';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import { KannukiError, SecretBytes } from '@kannuki/core';
import { ScratchFolder, ScratchVault } from '../testing/scratch-vaults.ts';
import { EmbeddedVaults } from './embedded-vaults.ts';

const terms = { retentionDays: 90, purgeProtection: true, premium: false };

/**
 * A closed database with two keys and two secrets of two versions, and their ids; and with a deleted secret and a deleted
 * key, and a key with a rotation policy.
 */
interface Prepared extends AsyncDisposable {
  readonly files: { readonly databaseFile: string; readonly rootKeyFile: string };
  readonly secretIds: readonly string[];
  readonly keyIds: readonly string[];
}

let original: Prepared;
before(async () => {
  original = await makeOriginal();
});
after(() => original[Symbol.asyncDispose]());

async function makeOriginal(): Promise<Prepared> {
  const scratch = await ScratchVault.make();
  const { vault } = scratch;
  const secretIds: string[] = [];
  for (const name of ['alpha', 'beta']) {
    for (const text of ['old', 'new']) {
      const value = SecretBytes.take(Buffer.from(`${name} ${text}`));
      secretIds.push((await vault.setSecret(name, value, { contentType: 'BEK', tags: { MachineName: name } })).id);
    }
  }
  const keyIds = [(await vault.createKey('kek-a')).id, (await vault.createKey('kek-b')).id];
  const value = SecretBytes.take(Buffer.from('deleted'));
  await vault.setSecret('gone', value, { contentType: null, tags: {} });
  await vault.secrets.delete('gone', terms);
  const validity = { enabled: true, notBefore: null, expires: 4_000_000_000 };
  const spec = {
    ...validity,
    shape: { kty: 'EC', crv: 'P-256' },
    hardware: false,
    operations: null,
    tags: {},
  } as const;
  for (const name of ['gone', 'turning']) await vault.keys.create(name, spec, terms);
  await vault.keys.delete('gone', terms);
  await vault.keys.setRotationPolicy('turning', { lifetimeActions: [], expiryTime: 'P90D' });
  await scratch.vaults.close();
  const files = scratch.folder.vaultFiles();
  return { files, secretIds, keyIds, [Symbol.asyncDispose]: () => scratch[Symbol.asyncDispose]() };
}

/** A copy of it for one test. */
async function prepared(): Promise<Prepared> {
  const folder = await ScratchFolder.make();
  const files = folder.vaultFiles();
  await copyFile(original.files.databaseFile, files.databaseFile);
  await copyFile(original.files.rootKeyFile, files.rootKeyFile);
  return { ...original, files, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

function alter(file: string, ...statements: readonly string[]): void {
  const database = new DatabaseSync(file, { enableForeignKeyConstraints: false });
  try {
    for (const statement of statements) database.exec(statement);
  } finally {
    database.close();
  }
}

async function isRefused(files: Prepared['files']): Promise<void> {
  await assert.rejects(EmbeddedVaults.open(files), (error) => {
    assert.ok(error instanceof KannukiError);
    assert.equal(error.code, 'KNK-KVT-0010');
    return true;
  });
}

const other = (column: string, table = 'secret_versions'): string => `(SELECT ${column} FROM ${table} WHERE id = 3)`;

/** What someone with the file but without the root key might do. */
const tamperings: Readonly<Record<string, readonly string[]>> = {
  'a value moved to another row': [`UPDATE secret_versions SET value = ${other('value')} WHERE id = 1`],
  'all sealed columns moved to another row': [
    `UPDATE secret_versions SET value = ${other('value')}, data_key = ${other('data_key')}, mac = ${other('mac')} WHERE id = 1`,
  ],
  'two rows swapped': [
    `UPDATE secret_versions SET object_id = object_id + 100 WHERE object_id <= 2`,
    `UPDATE secret_versions SET object_id = CASE object_id WHEN 101 THEN 2 ELSE 1 END WHERE object_id > 100`,
  ],
  'the ciphertext of a version rolled back to the one before': [
    `UPDATE secret_versions SET value = (SELECT value FROM secret_versions WHERE id = 1),
      data_key = (SELECT data_key FROM secret_versions WHERE id = 1) WHERE id = 2`,
  ],
  'an old version made the newest': [`UPDATE secret_versions SET sequence = 9 WHERE id = 1`],
  'the newest version removed': [`DELETE FROM secret_versions WHERE id = 2`],
  'a whole secret removed': [`DELETE FROM secret_versions WHERE object_id = 1`, `DELETE FROM secrets WHERE id = 1`],
  'all keys removed': [`DELETE FROM key_versions`, `DELETE FROM keys`],
  'a row repeated': [
    `INSERT INTO secret_versions (object_id, version, sequence, created_at, attributes, root_key_id, data_key, value, mac)
      SELECT object_id, '${'0'.repeat(32)}', 7, created_at, attributes, root_key_id, data_key, value, mac
      FROM secret_versions WHERE id = 1`,
  ],
  'a tag changed': [`UPDATE secret_versions SET attributes = replace(attributes, 'alpha', 'gamma') WHERE id = 1`],
  'a key allowed more': [`UPDATE key_versions SET attributes = replace(attributes, '"encrypt",', '') WHERE id = 1`],
  'a public key exchanged': [
    `UPDATE key_versions SET attributes = (SELECT attributes FROM key_versions WHERE id = 2) WHERE id = 1`,
  ],
  'a secret renamed': [`UPDATE secrets SET name = 'gamma' WHERE id = 1`],
  'the vault renamed': [`UPDATE vaults SET name = 'other' WHERE id = 1`],
  'a secret moved to another vault': [
    `INSERT INTO vaults (id, name, created_at) VALUES (2, 'evil', 0)`,
    `UPDATE secrets SET vault_id = 2 WHERE id = 1`,
  ],
  'a version id changed': [`UPDATE secret_versions SET version = '${'a'.repeat(32)}' WHERE id = 1`],
  'a time changed': [`UPDATE secret_versions SET created_at = created_at + 1 WHERE id = 1`],
  'a deleted secret brought back': [
    `UPDATE secrets SET deleted_at = NULL, purge_at = NULL, state_mac = NULL WHERE name = 'gone'`,
  ],
  'a deleted secret brought back, its state left': [`UPDATE secrets SET deleted_at = NULL WHERE name = 'gone'`],
  'a deleted key brought back with the state of another': [
    `UPDATE keys SET (deleted_at, purge_at, policy, due_at, state_mac) =
      (SELECT deleted_at, purge_at, policy, due_at, state_mac FROM keys WHERE name = 'turning') WHERE name = 'gone'`,
  ],
  'a secret deleted': [`UPDATE secrets SET deleted_at = 1, purge_at = 2 WHERE name = 'alpha'`],
  'a secret deleted with the state of another': [
    `UPDATE secrets SET (deleted_at, purge_at, state_mac) =
      (SELECT deleted_at, purge_at, state_mac FROM secrets WHERE name = 'gone') WHERE name = 'alpha'`,
  ],
  'the day of a purge moved': [`UPDATE secrets SET purge_at = 1 WHERE name = 'gone'`],
  'a purge behind our back': [
    `DELETE FROM secret_versions WHERE object_id = (SELECT id FROM secrets WHERE name = 'gone')`,
    `DELETE FROM secrets WHERE name = 'gone'`,
  ],
  'a rotation policy changed': [`UPDATE keys SET policy = replace(policy, 'P90D', 'P99D') WHERE name = 'turning'`],
  'a rotation policy removed': [
    `UPDATE keys SET policy = NULL, due_at = NULL, state_mac = NULL WHERE name = 'turning'`,
  ],
  'a rotation put off': [`UPDATE keys SET due_at = due_at + 1 WHERE name = 'turning'`],
  'the inventory removed': [`DELETE FROM inventory`],
  'the inventory counted down': [`UPDATE inventory SET row_count = row_count - 1`],
  'a column of the schema renamed': [`ALTER TABLE secret_versions RENAME COLUMN mac TO cam`],
  'a table removed': [`DROP TABLE inventory`],
  'the row key exchanged': [`UPDATE root_keys SET row_key = zeroblob(61)`],
};

describe('a database that someone wrote to', () => {
  for (const [what, statements] of Object.entries(tamperings)) {
    it(`is refused: ${what}`, async () => {
      await using copy = await prepared();
      const { files } = copy;
      alter(files.databaseFile, ...statements);
      await isRefused(files);
    });
  }

  it('opens when nothing was done to it', async () => {
    await using copy = await prepared();
    const { files, secretIds, keyIds } = copy;
    alter(files.databaseFile, 'VACUUM');
    await using vaults = await EmbeddedVaults.open(files);
    const vault = vaults.vault('kv-test');
    for (const id of secretIds) (await vault.getSecret(id)).value[Symbol.dispose]();
    for (const id of keyIds) await vault.keyInfo(id);
  });

  it('is refused when a row that was disabled since is put back as it was', async () => {
    await using copy = await prepared();
    const { files, secretIds } = copy;
    const earlier = `${files.databaseFile}.earlier`;
    await copyFile(files.databaseFile, earlier);
    {
      await using vaults = await EmbeddedVaults.open(files);
      await vaults.vault('kv-test').setSecretEnabled(secretIds[1] ?? '', false);
    }
    alter(
      files.databaseFile,
      `ATTACH '${earlier}' AS earlier`,
      `UPDATE secret_versions SET (attributes, data_key, value, mac) =
        (SELECT attributes, data_key, value, mac FROM earlier.secret_versions e WHERE e.id = secret_versions.id)`,
    );
    await isRefused(files);
  });

  it('is refused when an object that was deleted since is put back as it was, and the other way round', async () => {
    for (const change of ['delete', 'recover'] as const) {
      await using copy = await prepared();
      const { files } = copy;
      const earlier = `${files.databaseFile}.earlier`;
      await copyFile(files.databaseFile, earlier);
      {
        await using vaults = await EmbeddedVaults.open(files);
        const { secrets } = vaults.vault('kv-test');
        await (change === 'delete' ? secrets.delete('alpha', terms) : secrets.recover('gone'));
      }
      await (await EmbeddedVaults.open(files)).close();
      alter(
        files.databaseFile,
        `ATTACH '${earlier}' AS earlier`,
        `UPDATE secrets SET (deleted_at, purge_at, state_mac) =
          (SELECT deleted_at, purge_at, state_mac FROM earlier.secrets e WHERE e.id = secrets.id)`,
      );
      await isRefused(files);
    }
  });

  it('gives no state of an object that it did not write, for rescue either', async () => {
    await using copy = await prepared();
    const { files, secretIds } = copy;
    alter(files.databaseFile, `UPDATE secrets SET deleted_at = NULL WHERE name = 'gone'`);
    await using vaults = await EmbeddedVaults.open({ ...files, rescue: true });
    const vault = vaults.vault('kv-test');
    await assert.rejects(vault.secrets.get('gone', null), { code: 'KNK-KVT-0010' });
    await assert.rejects(vault.secrets.getDeleted('gone'), { code: 'KNK-KVT-0010' });
    for (const id of secretIds) (await vault.getSecret(id)).value[Symbol.dispose]();
  });

  it('gives out for rescue what is intact, refuses the rest and every write', async () => {
    await using copy = await prepared();
    const { files, secretIds } = copy;
    alter(files.databaseFile, tamperings['a value moved to another row']?.[0] ?? '');
    await using vaults = await EmbeddedVaults.open({ ...files, rescue: true });
    const vault = vaults.vault('kv-test');
    await assert.rejects(vault.getSecret(secretIds[0] ?? ''), { code: 'KNK-KVT-0010' });
    for (const id of secretIds.slice(1)) (await vault.getSecret(id)).value[Symbol.dispose]();
    const value = SecretBytes.take(Buffer.from('x'));
    await assert.rejects(vault.setSecret('new', value, { contentType: null, tags: {} }), { code: 'KNK-KVT-0020' });
    await assert.rejects(vaults.createVault('new-vault'), { code: 'KNK-KVT-0020' });
  });

  it('never gives out a wrong value, whichever bit of the file is flipped', async () => {
    await using copy = await prepared();
    const { files, secretIds } = copy;
    const expected = ['alpha old', 'alpha new', 'beta old', 'beta new'];
    const sound = await readFile(files.databaseFile);
    let detected = 0;
    const flips = 80;
    // Spread over the file, in steps that hit every kind of page; the same positions in every run.
    for (let flip = 0; flip < flips; flip += 1) {
      const damaged = Buffer.from(sound);
      const at = Math.floor(((flip + 0.5) * sound.length) / flips);
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (flip % 8));
      await writeFile(files.databaseFile, damaged);
      try {
        await using vaults = await EmbeddedVaults.open({ ...files, rescue: flip % 2 === 0 });
        const vault = vaults.vault('kv-test');
        for (const [index, id] of secretIds.entries()) {
          const { value } = await vault.getSecret(id);
          assert.equal(Buffer.from(value.bytes).toString(), expected[index], `byte ${at}`);
        }
      } catch (error) {
        assert.ok(error instanceof KannukiError, `byte ${at}: ${String(error)}`);
        detected += 1;
      }
    }
    assert.ok(detected > 0, 'no flip hit anything that counts');
  });

  it('detects each flipped bit of a sealed value and of its data key', async () => {
    await using copy = await prepared();
    const { files, secretIds } = copy;
    const database = new DatabaseSync(files.databaseFile);
    const { value, data_key: dataKey } =
      database.prepare('SELECT value, data_key FROM secret_versions WHERE id = 1').get() ?? {};
    database.close();
    assert.ok(value instanceof Uint8Array && dataKey instanceof Uint8Array);
    const targets = [
      ['value', value],
      ['data_key', dataKey],
    ] as const;
    for (const [column, sound] of targets) {
      for (let at = 0; at < sound.length; at += 7) {
        const damaged = Uint8Array.from(sound);
        damaged[at] = (damaged[at] ?? 0) ^ 4;
        const set = (bytes: Uint8Array): void =>
          alter(
            files.databaseFile,
            `UPDATE secret_versions SET ${column} = x'${Buffer.from(bytes).toString('hex')}' WHERE id = 1`,
          );
        set(damaged);
        await using vaults = await EmbeddedVaults.open({ ...files, rescue: true });
        await assert.rejects(
          vaults.vault('kv-test').getSecret(secretIds[0] ?? ''),
          { code: 'KNK-KVT-0010' },
          `${column} ${at}`,
        );
        await vaults.close();
        set(sound);
      }
    }
  });
});
