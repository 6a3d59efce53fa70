import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { SecretBytes } from '@kannuki/core';
import { ScratchVault } from '../testing/scratch-vaults.ts';
import { keyAttributes, secretAttributes } from './attributes.ts';
import { EmbeddedVaults } from './embedded-vaults.ts';
import { prepareVersionStatements } from './statements.ts';

const terms = { retentionDays: 90, purgeProtection: false, premium: false };

/** Takes a database back to the schema of the release before, with its rows. */
const backToFirst = ['keys', 'secrets'].flatMap((table) => [
  ...['live', 'deleted', 'purge', 'due'].map((name) => `DROP INDEX ${table}_${name}`),
  ...['deleted_at', 'purge_at', 'policy', 'due_at', 'state_mac'].map(
    (name) => `ALTER TABLE ${table} DROP COLUMN ${name}`,
  ),
]);

describe('the schema', () => {
  it('is brought up to date with what an earlier release wrote in it', async () => {
    await using scratch = await ScratchVault.make();
    const { vault, folder } = scratch;
    using value = SecretBytes.take(Buffer.from('value'));
    const { id } = await vault.setSecret('name', value, { contentType: 'BEK', tags: { a: 'b' } });
    const kek = await vault.createKey('kek');
    const wrapped = await vault.wrapKey(kek.id, 'RSA-OAEP', value);
    await scratch.vaults.close();
    const files = folder.vaultFiles();
    const database = new DatabaseSync(files.databaseFile);
    for (const statement of [...backToFirst, 'DELETE FROM migrations WHERE version = 2']) database.exec(statement);
    database.close();
    for (let opening = 0; opening < 2; opening += 1) {
      await using vaults = await EmbeddedVaults.open(files);
      const again = vaults.vault('kv-test');
      using unwrapped = await again.unwrapKey(kek.id, 'RSA-OAEP', wrapped.value);
      assert.ok(unwrapped.equals(value));
      if (opening > 0) {
        await assert.rejects(again.getSecret(id), { code: 'KNK-KVT-0003' });
        assert.equal((await again.secrets.getDeleted('name')).name, 'name');
      } else await again.secrets.delete('name', terms);
    }
  });

  it('reads rows that say less than today', () => {
    const key = keyAttributes.read(
      '{"enabled":true,"kind":"RSA","bits":2048,"operations":["sign"],"publicKey":"AAAA"}',
    );
    const { notBefore, expires, updated, tags, operations } = key;
    assert.deepEqual([notBefore, expires, updated, tags, operations], [null, null, null, {}, ['sign']]);
    const secret = secretAttributes.read('{"enabled":false,"contentType":"x","tags":{"a":"b"}}');
    const expected = {
      enabled: false,
      contentType: 'x',
      tags: { a: 'b' },
      notBefore: null,
      expires: null,
      updated: null,
    };
    assert.deepEqual(secret, expected);
  });

  it('has an index for every statement of a call: none looks at all rows', async () => {
    await using scratch = await ScratchVault.make();
    await scratch.vaults.close();
    const database = new DatabaseSync(scratch.folder.vaultFiles().databaseFile);
    try {
      for (const collection of ['keys', 'secrets'] as const) {
        const { all: _all, allStates: _allStates, ...perCall } = prepareVersionStatements(database, collection);
        for (const [name, statement] of Object.entries(perCall)) {
          const plan = database.prepare(`EXPLAIN QUERY PLAN ${statement.sourceSQL}`);
          const places = (statement.sourceSQL.match(/\?/g) ?? []).map(() => null);
          const steps = plan.all(...places).map(({ detail }) => String(detail));
          for (const step of steps)
            assert.doesNotMatch(step, /^SCAN (?!CONSTANT)|TEMP B-TREE/, `${collection} ${name}: ${steps.join('; ')}`);
        }
      }
    } finally {
      database.close();
    }
  });
});
