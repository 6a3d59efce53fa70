import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import { SecretBytes } from '@kannuki/core';
import { escrowPassphrase } from '../escrow/escrow.ts';
import { ScratchVault } from '../testing/scratch-vaults.ts';
import { EmbeddedVaults } from './embedded-vaults.ts';
import { generateRsa } from './rsa.ts';

const canary = 'CANARY-0451-this-must-never-be-seen-anywhere';

/**
 * In the DER of an RSA private key, and not of a public one: the exponent 65537, then a long integer. Its length takes two
 * bytes, or one when the number happens to begin with zeros (about one key in 200).
 */
const privateExponentFollows = ['02030100010282', '02030100010281'].map((form) => Buffer.from(form, 'hex'));

function holdsPrivateKey(content: Buffer): boolean {
  return privateExponentFollows.some((form) => content.includes(form));
}

/** How the canary could look in a file. */
const forms: readonly Buffer[] = [
  Buffer.from(canary, 'latin1'),
  Buffer.from(canary, 'utf16le'),
  Buffer.from(Buffer.from(canary).toString('hex'), 'latin1'),
  // Base64 of it at each of the three alignments, without the ends that depend on the neighbours.
  ...[0, 1, 2].map((shift) =>
    Buffer.from(
      Buffer.from(`${'x'.repeat(shift)}${canary}`)
        .toString('base64')
        .slice(4, -4),
      'latin1',
    ),
  ),
];

function assertNoCanary(content: Buffer, where: string): void {
  for (const form of forms) assert.equal(content.indexOf(form), -1, `the canary is in ${where}`);
}

describe('what the embedded vault leaves on the disk', () => {
  it('has no secret and no private key in it, in the log or in the database', async () => {
    await using scratch = await ScratchVault.make();
    const { vault, folder, vaults } = scratch;
    const kek = await vault.createKey('kek');
    const value = SecretBytes.take(Buffer.from(canary));
    const { id } = await vault.setSecret('plain', value, { contentType: 'text/plain', tags: { visible: 'tag' } });
    await vault.setSecretEnabled(id, false);
    await escrowPassphrase(vault, { passphrase: value, secretName: 'wrapped', kekId: kek.id });
    await escrowPassphrase(vault, { passphrase: value, secretName: 'unwrapped', kekId: null });
    await vaults.backup(folder.file('backup.db'));

    const seen: string[] = [];
    const look = async (): Promise<void> => {
      for (const name of await readdir(folder.path)) {
        const content = await readFile(folder.file(name));
        assertNoCanary(content, name);
        assert.equal(holdsPrivateKey(content), false, `a private key is in ${name}`);
        assert.equal(content.includes(Buffer.from('PRIVATE KEY')), false);
        seen.push(name);
      }
    };
    await look();
    await vaults.close();
    await look();
    assert.ok(seen.includes('vault.db') && seen.includes('vault.db-wal') && seen.includes('backup.db'));
    const { privateKey } = await generateRsa(2048);
    assert.ok(holdsPrivateKey(Buffer.from(privateKey.bytes)), 'the search would find a private key');
    const database = await readFile(folder.file('vault.db'));
    assert.ok(database.includes('visible'), 'the search would find what is stored in the clear');
  });

  it('is not in a backup of an object, nor is a private key', async () => {
    await using scratch = await ScratchVault.make();
    const { vault } = scratch;
    await vault.createKey('kek');
    await vault.setSecret('name', SecretBytes.take(Buffer.from(canary)), { contentType: null, tags: {} });
    for (const backup of [await vault.keys.backup('kek'), await vault.secrets.backup('name')]) {
      assertNoCanary(Buffer.from(backup), 'the backup');
      assert.equal(holdsPrivateKey(Buffer.from(backup)), false);
      assert.equal(Buffer.from(backup).includes('tags'), false, 'what is said of it is sealed too');
    }
  });

  it('is nothing of an object that was purged, nor of a vault', async () => {
    await using scratch = await ScratchVault.make();
    const { vaults, folder } = scratch;
    const terms = { retentionDays: 7, purgeProtection: false, premium: false };
    const value = SecretBytes.take(Buffer.alloc(20_000, 'x'));
    const sealed: Buffer[] = [];
    const other = await vaults.createVault('kv-other');
    for (const { secrets } of [scratch.vault, other]) {
      await secrets.set('purged', {
        value,
        enabled: true,
        notBefore: null,
        expires: null,
        contentType: null,
        tags: {},
      });
    }
    await vaults.backup(folder.file('backup.db'));
    const copy = new DatabaseSync(folder.file('backup.db'));
    for (const row of copy.prepare('SELECT value FROM secret_versions').all()) {
      // A part from the middle, that lies within one page.
      if (row.value instanceof Uint8Array) sealed.push(Buffer.from(row.value.subarray(10_000, 10_016)));
    }
    copy.close();
    const traces = async (): Promise<number> => {
      const contents = await Promise.all(['vault.db', 'vault.db-wal'].map((name) => readFile(folder.file(name))));
      return sealed.filter((part) => contents.some((content) => content.includes(part))).length;
    };
    assert.equal(sealed.length, 2);
    assert.equal(await traces(), 2, 'the search would find them');
    await scratch.vault.secrets.delete('purged', terms);
    await scratch.vault.secrets.purge('purged', terms);
    assert.equal(await traces(), 1);
    await vaults.purgeVault('KV-Other');
    assert.equal(await traces(), 0);
    assert.deepEqual(vaults.names(), ['kv-test']);
    assert.throws(() => vaults.vault('kv-other'), { code: 'KNK-KVT-0003' });
    await vaults.close();
    await (await EmbeddedVaults.open(folder.vaultFiles())).close();
  });

  it('is not in what the objects show of themselves', async () => {
    await using scratch = await ScratchVault.make();
    const { vault, vaults } = scratch;
    const value = SecretBytes.take(Buffer.from(canary));
    const { id } = await vault.setSecret('name', value, { contentType: null, tags: {} });
    const stored = await vault.getSecret(id);
    using _ = stored.value;
    const got = await vault.secrets.get('name', null);
    using _got = got.value;
    const objects = [
      got,
      await vault.secrets.list({ limit: 1, after: null }),
      vault,
      vaults,
      stored,
      vault.listSecrets(),
      vault.secretVersions('name'),
    ];
    for (const object of objects) {
      assertNoCanary(Buffer.from(inspect(object, { depth: 12, showHidden: true })), 'inspect');
      assertNoCanary(Buffer.from(JSON.stringify(object)), 'JSON');
    }
  });
});
