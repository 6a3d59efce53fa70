import type { VaultPort } from '@kannuki/keyvault';

/**
 * Opens the vault that a journal names: the volumes of one machine may have their passphrases in several.
 * @param vaultUri as the journal has it; the opener may answer the same vault for the same address
 */
export type VaultOf = (vaultUri: string) => VaultPort | Promise<VaultPort>;

/** For volumes that have nothing in any vault: their key is a random one that nobody ever sees. */
export const noVault: VaultPort = {
  vaultUri: '',
  keyInfo: nothingThere,
  wrapKey: nothingThere,
  unwrapKey: nothingThere,
  setSecret: nothingThere,
  getSecret: nothingThere,
  disableSecret: nothingThere,
};

async function nothingThere(): Promise<never> {
  throw new Error('a volume with a random key asked a vault');
}
