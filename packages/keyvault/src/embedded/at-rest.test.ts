import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import { SecretBytes } from '@kannuki/core';
import { escrowPassphrase } from '../escrow/escrow.ts';
import { ScratchVault } from '../testing/scratch-vaults.ts';
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

  it('is not in what the objects show of themselves', async () => {
    await using scratch = await ScratchVault.make();
    const { vault, vaults } = scratch;
    const value = SecretBytes.take(Buffer.from(canary));
    const { id } = await vault.setSecret('name', value, { contentType: null, tags: {} });
    const stored = await vault.getSecret(id);
    using _ = stored.value;
    const objects = [vault, vaults, stored, vault.listSecrets(), vault.secretVersions('name')];
    for (const object of objects) {
      assertNoCanary(Buffer.from(inspect(object, { depth: 12, showHidden: true })), 'inspect');
      assertNoCanary(Buffer.from(JSON.stringify(object)), 'JSON');
    }
  });
});
