import { join } from 'node:path';
import { makeDirectoryDurably } from '@kannuki/core';
import { EmbeddedVaults } from '@kannuki/keyvault';

/**
 * The vault as a lab machine sees it: in the folder that outlives the machine, on no disk of the machine's.
 * @param folder within that folder
 */
export function labVaultUrlIn(folder: string): string {
  return `embedded://${join('/mnt/keep', folder, 'vault')}?vault=lab`;
}

export const labVaultUrl = labVaultUrlIn('.');

/** Makes a real embedded vault with a KEK in a folder of the host. */
export async function makeLabVault(keep: string): Promise<{ readonly vaultUrl: string; readonly kekId: string }> {
  const folder = join(keep, 'vault');
  await makeDirectoryDurably(folder, 0o700);
  await using vaults = await EmbeddedVaults.open({
    databaseFile: join(folder, 'vault.db'),
    rootKeyFile: join(folder, 'root.key'),
  });
  const vault = await vaults.createVault('lab');
  const { id } = await vault.createKey('kek');
  return { vaultUrl: labVaultUrl, kekId: id };
}
