import { join } from 'node:path';
import { readCredentialFile } from '../credential-file.ts';
import type { EmbeddedVault } from '../embedded/embedded-vault.ts';
import { EmbeddedVaults } from '../embedded/embedded-vaults.ts';
import { onLocalDisk } from '../local-disk.ts';
import type { OpenVault, OpenVaultOptions } from '../open-vault.ts';
import { Pkcs11Module } from '../pkcs11/pkcs11-module.ts';
import { TokenRootKeys } from '../pkcs11/token-root-key.ts';
import { type KeyInfo, type WrapAlgorithm, wrapAlgorithms } from '../port.ts';
import type { NewRootKey } from '../root-key/root-key-file.ts';
import { parsePkcs11Address } from './address.ts';

export interface Pkcs11Vault extends OpenVault {
  /** What this very token was seen to do. */
  readonly wrapAlgorithms: readonly WrapAlgorithm[];
  /** Makes an RSA key in the token, or its next version. It never leaves the token. @throws KannukiError KNK-KVT-0026 */
  createKek(name: string, bits?: 2048 | 3072 | 4096): Promise<KeyInfo>;
  setKeyEnabled: EmbeddedVault['setKeyEnabled'];
  setSecretEnabled: EmbeddedVault['setSecretEnabled'];
}

/**
 * A vault for a machine with a PKCS #11 token and no vault service: KEKs are made and used inside the token; secrets lie
 * in an embedded vault whose root key only the token opens. So the directory is durable, versioned and sealed as that of
 * `embedded://` is, and worth nothing to who has it without the token; it is refused on a disk of this machine all the same.
 *
 * The driver that `openVault` takes as `drivers.pkcs11`; not part of the package's index, because of pkcs11js.
 * @throws KannukiError KNK-KVT-0015, 0016, 0042 for the token, 0043 without pkcs11js, 0051 for the file with the PIN,
 * and what opening an embedded vault throws
 */
export async function openPkcs11Vault(
  text: string,
  { isOnLocalDisk, create = false }: Pick<OpenVaultOptions, 'isOnLocalDisk' | 'create'>,
): Promise<Pkcs11Vault> {
  const { tokenLabel, modulePath, pinFile, directory, vaultName } = parsePkcs11Address(text);
  if (await isOnLocalDisk(directory)) throw onLocalDisk(directory);
  const token = { modulePath, tokenLabel, pin: () => readCredentialFile(pinFile) };
  await using stack = new AsyncDisposableStack();
  const module = stack.use(await Pkcs11Module.open(token));
  const newRootKey = async (): Promise<NewRootKey> => {
    const keys = await TokenRootKeys.open(token);
    stack.defer(() => keys.close());
    return { kind: 'pkcs11', token: keys };
  };
  const vaults = stack.use(
    await EmbeddedVaults.open({
      databaseFile: join(directory, 'vault.db'),
      rootKeyFile: join(directory, 'root.key'),
      openers: { token: () => TokenRootKeys.open(token) },
      newRootKey,
      create,
      keyModule: module,
    }),
  );
  const vault = create ? await vaults.createVault(vaultName) : vaults.vault(vaultName);
  const kept = stack.move();
  return Object.assign(vault, {
    wrapAlgorithms: wrapAlgorithms.filter((algorithm) => module.capabilities.encryption.includes(algorithm)),
    createKek: (name: string, bits: 2048 | 3072 | 4096 = 2048) => createKek(vault, name, bits),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  });
}

async function createKek(vault: EmbeddedVault, name: string, bits: 2048 | 3072 | 4096): Promise<KeyInfo> {
  const always = { enabled: true, notBefore: null, expires: null, tags: {} };
  const spec = {
    ...always,
    shape: { kty: 'RSA', bits },
    hardware: true,
    operations: ['wrapKey', 'unwrapKey'],
  } as const;
  const terms = { retentionDays: 90, purgeProtection: true, premium: true };
  const { version } = await vault.keys.create(name, spec, terms);
  return await vault.keyInfo(`${vault.vaultUri}keys/${name}/${version}`);
}
