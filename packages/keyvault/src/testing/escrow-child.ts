import { join } from 'node:path';
import { argv, stdin, stdout } from 'node:process';
import { SecretBytes } from '@kannuki/core';
import { EmbeddedVaults } from '../embedded/embedded-vaults.ts';
import { escrowBlob, escrowPassphrase } from '../escrow/escrow.ts';
import { generatePassphrase } from '../escrow/passphrase.ts';
import { releasePassphrase } from '../escrow/release.ts';

/**
 * The key handling of one volume in a process of its own, whose memory a test then searches:
 * `escrow-child.ts FOLDER with-kek|without-kek forget|keep`. Prints the receipt and waits for the end of its input.
 */
const [, , folder = '', kekMode, ending] = argv;
const vaults = await EmbeddedVaults.open({
  databaseFile: join(folder, 'vault.db'),
  rootKeyFile: join(folder, 'root.key'),
});
const vault = await vaults.createVault('kv-memory');
const kekId = kekMode === 'with-kek' ? (await vault.createKey('kek')).id : null;

const passphrase = generatePassphrase();
const receipt = await escrowPassphrase(vault, { passphrase, secretName: 'volume', kekId, machineName: 'vm1' });
{
  using released = await releasePassphrase(vault, receipt);
  if (!released.equals(passphrase)) throw new Error('the release gave something else');
  using blob = SecretBytes.take(Buffer.from('{"header":"record"}'));
  await escrowBlob(vault, { blob, secretName: 'header' });
}
if (ending === 'forget') passphrase[Symbol.dispose]();
await vaults.close();

stdout.write(`${JSON.stringify(receipt)}\n`);
stdin.resume();
stdin.on('end', () => {
  if (ending === 'keep') stdout.write(`still ${passphrase.length} bytes\n`);
});
