import { argv, stdin, stdout } from 'node:process';
import { SecretBytes } from '@kannuki/core';
import { SealableVaults } from '../embedded/sealable-vaults.ts';

/**
 * Opens vaults, uses them, and seals them or not: `seal-child.ts DATABASE ROOTKEY seal|keep`; a test then searches its
 * memory. Prints a line and waits for the end of its input.
 */
const [, , databaseFile = '', rootKeyFile = '', ending] = argv;
const sealable = await SealableVaults.open({ databaseFile, rootKeyFile });
const vault = await sealable.vaults().createVault('kv-memory');
using value = SecretBytes.take(Buffer.from('value'));
const { id } = await vault.setSecret('name', value, { contentType: null, tags: {} });
(await vault.getSecret(id)).value[Symbol.dispose]();
if (ending === 'seal') await sealable.seal();
stdout.write('done\n');
stdin.resume();
stdin.on('end', () => void sealable.close());
