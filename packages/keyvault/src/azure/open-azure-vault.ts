import type { OpenVault } from '../open-vault.ts';
import { parseAzureAddress } from './address.ts';
import { AzureVault, type AzureVaultOptions } from './azure-vault.ts';

/**
 * The driver that `openVault` takes as `drivers.azure`. Not part of the package's index: who imports this file gets
 * Microsoft's packages into the bundle, or must name them as external.
 * @throws KannukiError KNK-KVT-0015, 0051, 0052
 */
export async function openAzureVault(address: string, options: AzureVaultOptions = {}): Promise<OpenVault> {
  const vault = await AzureVault.open(parseAzureAddress(address), options);
  return Object.assign(vault, { [Symbol.asyncDispose]: async () => vault[Symbol.dispose]() });
}
