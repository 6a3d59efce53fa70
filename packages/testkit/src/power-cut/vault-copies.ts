import { existsSync, mkdirSync } from 'node:fs';
import { run, type SecretBytes } from '@kannuki/core';
import type { SecretAttributes, VaultPort } from '@kannuki/keyvault';

const keep = '/mnt/keep';

/**
 * A vault that keeps a copy of itself after each change, /mnt/keep/vaults/N, and has `mark` put N on record: a boot after a
 * cut must find the vault as it was at the cut, not as it is at the end. A cut between the change and its mark gets the copy
 * before the change, which is as if the power had gone before the call: nothing that depends on it has been written yet.
 */
export function withCopies(vault: VaultPort, mark: (text: string) => Promise<void>): VaultPort {
  let count = 0;
  const copy = async (): Promise<void> => {
    count += 1;
    if (!existsSync(`${keep}/vaults`)) mkdirSync(`${keep}/vaults`);
    await run('cp', ['--archive', `${keep}/vault`, `${keep}/vaults/${count}`]);
    await mark(`vault:${count}`);
  };
  return {
    vaultUri: vault.vaultUri,
    ...(vault.wrapAlgorithms === undefined ? {} : { wrapAlgorithms: vault.wrapAlgorithms }),
    keyInfo: (keyId) => vault.keyInfo(keyId),
    wrapKey: (keyId, algorithm, value) => vault.wrapKey(keyId, algorithm, value),
    unwrapKey: (keyId, algorithm, wrapped) => vault.unwrapKey(keyId, algorithm, wrapped),
    getSecret: (secretId) => vault.getSecret(secretId),
    async setSecret(name: string, value: SecretBytes, attributes: SecretAttributes) {
      const made = await vault.setSecret(name, value, attributes);
      await copy();
      return made;
    },
    async disableSecret(name: string) {
      await vault.disableSecret(name);
      await copy();
    },
  };
}
