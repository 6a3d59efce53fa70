import { openGuestVault } from '@kannuki/guest';
import type { OpenVault } from '@kannuki/keyvault';

/** Opens the vault of a command, with the drivers that the command line brings besides those of the agent. */
export function openDiskVault(url: string): Promise<OpenVault> {
  return openGuestVault(url, undefined, {
    // Loaded when asked for: most machines have no vault in Azure and no token, nor the packages for them.
    azure: async (address) => (await import('@kannuki/keyvault/azure/open-azure-vault')).openAzureVault(address),
    pkcs11: async (address, options) =>
      (await import('@kannuki/keyvault/pkcs11-vault/open-pkcs11-vault')).openPkcs11Vault(address, options),
  });
}
