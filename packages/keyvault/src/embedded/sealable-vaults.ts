import { hasCode, KannukiError, SecretBytes } from '@kannuki/core';
import { smallestPassphraseBytes } from '../root-key/passphrase-form.ts';
import type { NewRootKey } from '../root-key/root-key-file.ts';
import { RootKeyPlace } from '../root-key/root-key-place.ts';
import type { RootKeyToken } from '../root-key/token-form.ts';
import type { KeyModule } from '../service/key-module.ts';
import { collectGarbage } from './collect-garbage.ts';
import { EmbeddedVaults, type OpenEmbeddedVaultsOptions } from './embedded-vaults.ts';

export interface OpenSealableVaultsOptions
  extends Pick<
    OpenEmbeddedVaultsOptions,
    'databaseFile' | 'rootKeyFile' | 'rootKeyCredential' | 'dnsSuffix' | 'clock'
  > {
  /** How the root key of a new database is kept; `credential`: it must be there already. Default `file`. */
  readonly source?: 'file' | 'credential' | 'passphrase' | 'pkcs11';
  /** A passphrase that the machine itself has; undefined where a person must give it. What it gives is disposed. */
  readonly passphrase?: () => Promise<SecretBytes | undefined>;
  /**
   * Opens the token. What it gives is closed.
   * @param pin what `unseal` was given; undefined where nothing was. Throws KNK-KVT-0027 where a PIN is needed and nobody
   * gave one
   */
  readonly token?: (pin: SecretBytes | undefined) => Promise<RootKeyToken>;
  /** Opens where HSM-protected keys live; it is closed with the vaults. @param pin as for `token` */
  readonly keyModule?: (pin: SecretBytes | undefined) => Promise<KeyModule>;
}

/** What a new root key is kept by, as `rekey` takes it. */
export type RekeyTarget = 'file' | 'passphrase' | 'pkcs11';

export interface SealState {
  readonly sealed: boolean;
  /** Names the root key; null while sealed. */
  readonly rootKey: string | null;
  /** No root key was ever made here: the passphrase that `unseal` gets becomes that of a new one. */
  readonly isNew: boolean;
}

/**
 * The embedded vaults of a server, or their absence: while sealed, the root key and everything it opened are not in the
 * memory of this process, and the database is closed.
 */
export class SealableVaults implements AsyncDisposable {
  readonly #options: OpenSealableVaultsOptions;
  #vaults: EmbeddedVaults | undefined;
  #module: KeyModule | undefined;
  #lastChange: Promise<unknown> = Promise.resolve();

  private constructor(options: OpenSealableVaultsOptions) {
    this.#options = options;
  }

  /**
   * Opens the vaults; where the root key needs a passphrase or PIN that nobody has given yet, they are sealed.
   * @throws KannukiError as EmbeddedVaults.open
   */
  static async open(options: OpenSealableVaultsOptions): Promise<SealableVaults> {
    const sealable = new SealableVaults(options);
    try {
      await sealable.unseal(undefined);
    } catch (error) {
      if (!hasCode(error, 'KNK-KVT-0027')) throw error;
    }
    return sealable;
  }

  get isSealed(): boolean {
    return this.#vaults === undefined;
  }

  /** The vaults. Do not keep them over a wait: they may be sealed meanwhile. @throws KannukiError KNK-KVT-0027 while sealed */
  vaults(): EmbeddedVaults {
    if (this.#vaults === undefined) throw new KannukiError('KNK-KVT-0027');
    return this.#vaults;
  }

  async state(): Promise<SealState> {
    const vaults = this.#vaults;
    if (vaults !== undefined) return { sealed: false, rootKey: vaults.rootKeyId, isNew: false };
    const { rootKeyFile: file, rootKeyCredential: credentialFile } = this.#options;
    return { sealed: true, rootKey: null, isNew: !(await new RootKeyPlace({ file, credentialFile }).exists()) };
  }

  /** Waits for writes that have begun, closes the database and forgets the root key. Does nothing where it is sealed. */
  async seal(): Promise<void> {
    await this.#change(async () => {
      await this.#closeVaults();
      await collectGarbage();
    });
  }

  /**
   * Opens the vaults. Does nothing where they are open: nothing is said of the passphrase then.
   * @param secret the passphrase, or the PIN of a token; undefined where the machine has what is needed. Stays the caller's
   * @throws KannukiError KNK-KVT-0022 for the passphrase of a new root key, 0027 where one is needed, 0041 where it is
   * wrong, and as EmbeddedVaults.open
   */
  async unseal(secret: SecretBytes | undefined): Promise<void> {
    await this.#change(async () => {
      if (this.#vaults !== undefined) return;
      const { keyModule, ...options } = this.#options;
      // A passphrase is not sent to the token as a PIN: some lock up after three wrong ones.
      this.#module ??= await keyModule?.(this.#options.source === 'passphrase' ? undefined : secret);
      try {
        this.#vaults = await EmbeddedVaults.open({
          ...options,
          ...(this.#module !== undefined && { keyModule: this.#module }),
          openers: { passphrase: () => this.#passphrase(secret), token: () => this.#token(secret) },
          newRootKey: () => this.#newRootKey(secret),
        });
      } catch (error) {
        await this.#closeVaults();
        throw error;
      }
    });
  }

  /**
   * A new root key, kept in this way, for everything.
   * @param secret the passphrase for the new root key, or the PIN of its token where the machine has none. Stays the caller's
   * @returns id of the new root key
   * @throws KannukiError KNK-KVT-0022, 0027, and as EmbeddedVaults.rekey
   */
  async rekey(target: RekeyTarget, secret: SecretBytes | undefined): Promise<string> {
    return this.#change(async () => {
      const vaults = this.vaults();
      if (target === 'file') return vaults.rekey({ kind: 'file' });
      if (target === 'passphrase') {
        using passphrase = await this.#passphrase(secret);
        if (passphrase === undefined) throw noPassphrase();
        return await vaults.rekey({ kind: 'passphrase', passphrase });
      }
      const token = await this.#token(secret);
      try {
        return await vaults.rekey({ kind: 'pkcs11', token });
      } finally {
        await token.close();
      }
    });
  }

  async close(): Promise<void> {
    await this.#change(() => this.#closeVaults());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #closeVaults(): Promise<void> {
    const [vaults, module] = [this.#vaults, this.#module];
    [this.#vaults, this.#module] = [undefined, undefined];
    try {
      await vaults?.close();
    } finally {
      await module?.[Symbol.asyncDispose]();
    }
  }

  /** One after the other: sealing in the middle of a rekey would leave it half done. */
  async #change<Result>(change: () => Promise<Result>): Promise<Result> {
    const mine = this.#lastChange.catch(() => undefined).then(change);
    this.#lastChange = mine;
    return mine;
  }

  async #passphrase(given: SecretBytes | undefined): Promise<SecretBytes | undefined> {
    return given === undefined ? this.#options.passphrase?.() : SecretBytes.copy(given.bytes);
  }

  async #token(given: SecretBytes | undefined): Promise<RootKeyToken> {
    const { token } = this.#options;
    if (token !== undefined) return token(given);
    const reason = 'the configuration has no [pkcs11]';
    throw new KannukiError('KNK-KVT-0042', { details: { token: '-', reason } });
  }

  async #newRootKey(secret: SecretBytes | undefined): Promise<NewRootKey> {
    const { source = 'file', rootKeyCredential, rootKeyFile } = this.#options;
    if (source === 'file') return { kind: 'file' };
    if (source === 'credential') {
      const reason = 'the root key is to be a credential, and there is none';
      throw new KannukiError('KNK-KVT-0013', { details: { file: rootKeyCredential ?? rootKeyFile, reason } });
    }
    if (source === 'pkcs11') return { kind: 'pkcs11', token: await this.#token(secret) };
    const passphrase = await this.#passphrase(secret);
    if (passphrase === undefined) throw new KannukiError('KNK-KVT-0027');
    return { kind: 'passphrase', passphrase };
  }
}

function noPassphrase(): KannukiError {
  const reason = `none was given; it takes at least ${smallestPassphraseBytes} bytes`;
  return new KannukiError('KNK-KVT-0022', { details: { what: 'the passphrase', reason } });
}
