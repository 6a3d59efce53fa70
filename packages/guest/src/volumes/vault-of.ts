import type { VaultPort } from '@kannuki/keyvault';

/**
 * Opens the vault that a journal names: the volumes of one machine may have their passphrases in several.
 * @param vaultUri as the journal has it; the opener may answer the same vault for the same address
 */
export type VaultOf = (vaultUri: string) => VaultPort | Promise<VaultPort>;
