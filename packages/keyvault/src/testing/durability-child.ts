import { createHash, randomBytes, randomInt } from 'node:crypto';
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { argv } from 'node:process';
import { SecretBytes } from '@kannuki/core';
import { EmbeddedVaults } from '../embedded/embedded-vaults.ts';

/**
 * Writes secrets from several clients at once until it is killed: `durability-child.ts FOLDER`. A line `ID SHA256` goes
 * out (unbuffered) only when the vault has acknowledged that version.
 */
const [, , folder = ''] = argv;
const vaults = await EmbeddedVaults.open({
  databaseFile: join(folder, 'vault.db'),
  rootKeyFile: join(folder, 'root.key'),
});
const vault = await vaults.createVault('kv-kill');

async function writeForEver(client: number): Promise<never> {
  for (;;) {
    // Sizes below and above a database page, up to the limit: these take several pages of the log.
    const text = Buffer.from(randomBytes(randomInt(1, randomInt(2, 12_000))).toString('hex'));
    const sum = createHash('sha256').update(text).digest('hex');
    using value = SecretBytes.take(text);
    const { id } = await vault.setSecret(`client-${client}`, value, { contentType: sum, tags: {} });
    writeSync(1, `${id} ${sum}\n`);
  }
}

writeSync(1, 'ready\n');
await Promise.all(Array.from({ length: 4 }, (_, client) => writeForEver(client)));
