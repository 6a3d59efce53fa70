import { lstat } from 'node:fs/promises';
import { KannukiError, SecretBytes } from '@kannuki/core';
import { credentialFile, readSecretFile, SealableVaults } from '@kannuki/keyvault';
import type { Pkcs11TokenOptions } from '@kannuki/keyvault/pkcs11/token';
import type { Pkcs11Config, VaultConfig } from '../config/vault-config.ts';
import type { DataPaths } from '../data-directory.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The vaults of a data folder, with what the configuration and systemd say of their root key. */
export function openSealableVaults(
  paths: Pick<DataPaths, 'vaultDatabase' | 'vaultRootKey'>,
  { vault, pkcs11 }: VaultConfig,
  clock: () => number = Date.now,
  environment: Environment = process.env,
): Promise<SealableVaults> {
  const { passphraseFile } = vault;
  return SealableVaults.open({
    databaseFile: paths.vaultDatabase,
    rootKeyFile: paths.vaultRootKey,
    rootKeyCredential: vault.rootKey === 'credential' ? credentialFile('kannuki-root-key', environment) : undefined,
    source: vault.rootKey,
    clock,
    passphrase: () =>
      secretOfMachine(passphraseFile, 'kannuki-passphrase', 'the passphrase of the root key', environment),
    ...(pkcs11 === undefined
      ? {}
      : {
          token: async (pin) => {
            const { TokenRootKeys } = await import('@kannuki/keyvault/pkcs11/token-root-key');
            return TokenRootKeys.open(tokenOptions(pkcs11, pin, environment));
          },
          keyModule: async (pin) => {
            const { Pkcs11Module } = await import('@kannuki/keyvault/pkcs11/pkcs11-module');
            return Pkcs11Module.open(tokenOptions(pkcs11, pin, environment));
          },
        }),
  });
}

/** For root keys and for keys in hardware. @param given the PIN that a person gave; stays the caller's */
export function tokenOptions(
  { module, tokenLabel, pinFile }: Pkcs11Config,
  given?: SecretBytes,
  environment: Environment = process.env,
): Pkcs11TokenOptions {
  return {
    modulePath: module,
    tokenLabel,
    async pin() {
      const pin = await secretOfMachine(pinFile, 'kannuki-pkcs11-pin', 'the PIN of the token', environment);
      if (pin !== undefined) return pin;
      if (given !== undefined) return SecretBytes.copy(given.bytes);
      throw new KannukiError('KNK-KVT-0027');
    },
  };
}

/** What this machine has by itself: a file that the configuration names, or a credential of systemd. */
async function secretOfMachine(
  file: string | undefined,
  credential: 'kannuki-passphrase' | 'kannuki-pkcs11-pin',
  what: string,
  environment: Environment,
): Promise<SecretBytes | undefined> {
  if (file !== undefined) return readSecretFile(file, what);
  const path = credentialFile(credential, environment);
  if (path === undefined || !(await isThere(path))) return undefined;
  return readSecretFile(path, what, 'credential');
}

async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
