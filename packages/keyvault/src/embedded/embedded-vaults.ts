import { lstat } from 'node:fs/promises';
import { KannukiError } from '@kannuki/core';
import type { NewRootKey, RootKeyOpeners } from '../root-key/root-key-file.ts';
import { RootKeyPlace } from '../root-key/root-key-place.ts';
import { EmbeddedVault } from './embedded-vault.ts';
import type { RootKey } from './root-key.ts';
import { VaultStore } from './vault-store.ts';

export interface OpenEmbeddedVaultsOptions {
  readonly databaseFile: string;
  readonly rootKeyFile: string;
  /** Read before the file: `$CREDENTIALS_DIRECTORY/kannuki-root-key`. */
  readonly rootKeyCredential?: string | undefined;
  /** For root keys that are sealed under a passphrase or in a token. */
  readonly openers?: RootKeyOpeners;
  /** How the root key of a new database is kept; what it gives is disposed and closed. Default a plain file. */
  readonly newRootKey?: (() => Promise<NewRootKey>) | undefined;
  /** What follows the vault's name in its address, with port where it has one. Ids hold it: do not change it later. */
  readonly dnsSuffix?: string;
  /** Makes root key and database where neither exists. Default true. */
  readonly create?: boolean;
  /** How long to wait for another process to let go of the database. Default 5 s. */
  readonly lockWaitSeconds?: number;
  /** Opens a database that was found damaged, to read what is intact. */
  readonly rescue?: boolean;
}

/** Names below `.localhost` mean this machine (RFC 6761, 6.3). */
export const defaultDnsSuffix = 'vault.localhost';

const dnsSuffixShape = /^[a-z0-9](?:[a-z0-9.-]{0,200}[a-z0-9])?(?::[0-9]{1,5})?$/i;
/** REQ-120. */
const vaultNameShape = /^(?=.{3,24}$)[a-z](?:-?[a-z0-9])+$/i;

/** The embedded vaults of one database: a durable service without any HTTP. Use it from one place in one process. */
export class EmbeddedVaults implements AsyncDisposable {
  readonly #store: VaultStore;
  readonly #place: RootKeyPlace;
  readonly #dnsSuffix: string;
  #lastRekey: Promise<unknown> = Promise.resolve();

  private constructor(store: VaultStore, place: RootKeyPlace, dnsSuffix: string) {
    this.#store = store;
    this.#place = place;
    this.#dnsSuffix = dnsSuffix;
  }

  /**
   * Opens database and root key, checks every row's seal, and holds the database alone until `close`.
   * @throws KannukiError KNK-KVT-0008 to 0013, 0017, 0020; 0027 where nobody has given what opens the root key, 0041,
   * 0042, 0043
   */
  static async open(options: OpenEmbeddedVaultsOptions): Promise<EmbeddedVaults> {
    const { databaseFile, rootKeyFile, dnsSuffix = defaultDnsSuffix, create = true } = options;
    if (!dnsSuffixShape.test(dnsSuffix)) throw unusable('the DNS suffix', 'it is not a DNS name');
    const databaseExists = await exists(databaseFile);
    if (!databaseExists && !create) {
      throw new KannukiError('KNK-KVT-0013', { details: { file: databaseFile, reason: 'there is no vault' } });
    }
    const { rootKeyCredential: credentialFile, openers = {}, newRootKey = async () => ({ kind: 'file' }) } = options;
    const place = new RootKeyPlace({ file: rootKeyFile, credentialFile, openers });
    // A root key is made for a new database only: a fresh one in the place of a lost one would hide the loss.
    if (!databaseExists && !(await place.exists())) {
      const form = await newRootKey();
      try {
        await place.create(form);
      } finally {
        await letGo(form);
      }
    }
    const { lockWaitSeconds = 5, rescue = false } = options;
    const rootKey = (ids: readonly string[]): Promise<RootKey> => place.open(ids);
    return new EmbeddedVaults(
      await VaultStore.open({ databaseFile, rootKey, lockWaitSeconds, rescue }),
      place,
      dnsSuffix,
    );
  }

  /**
   * Puts a new root key, and maybe another way to keep it, in the place of the old one: reads go on, writes wait, and a
   * power cut at any instant leaves the old root key or the new one in force, with its file. Backups made before still
   * need the old file.
   * @returns id of the new root key
   * @throws KannukiError KNK-KVT-0010, 0020, 0022, 0042; unless the database says otherwise the old key is in force then
   */
  async rekey(form: NewRootKey): Promise<string> {
    const mine = this.#lastRekey.catch(() => undefined).then(() => this.#rekey(form));
    this.#lastRekey = mine;
    return mine;
  }

  async #rekey(form: NewRootKey): Promise<string> {
    try {
      const next = await this.#place.prepare(form);
      await this.#store.rekey(next);
      return next.id;
    } finally {
      await this.#place.finish(this.#store.rootKeyIds());
    }
  }

  /** Names the root key in force. */
  get rootKeyId(): string {
    return this.#store.rootKeyIds().join();
  }

  names(): readonly string[] {
    return this.#store.vaultNames();
  }

  /** Makes a vault, or answers the one of that name. @throws KannukiError KNK-KVT-0008 */
  async createVault(name: string): Promise<EmbeddedVault> {
    if (!vaultNameShape.test(name)) {
      const reason = 'it takes 3 to 24 letters, digits and single hyphens, a letter first and no hyphen last';
      throw unusable('the name of the vault', reason);
    }
    await this.#store.createVault(name);
    return this.vault(name);
  }

  /** @throws KannukiError KNK-KVT-0003 */
  vault(name: string): EmbeddedVault {
    const stored = this.#store.vaultName(name);
    if (stored === undefined) {
      throw new KannukiError('KNK-KVT-0003', { details: { object: `vault ${name.slice(0, 24)}` } });
    }
    return new EmbeddedVault(this.#store, stored, this.#dnsSuffix);
  }

  /** Writes a consistent copy of the database, sealed as it is, while the vaults are in use. The root key is not in it. */
  async backup(target: string): Promise<void> {
    await this.#store.backup(target);
  }

  async close(): Promise<void> {
    await this.#lastRekey.catch(() => undefined);
    await this.#store.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** What `newRootKey` gave was for us alone. */
async function letGo(form: NewRootKey): Promise<void> {
  if (form.kind === 'passphrase') form.passphrase[Symbol.dispose]();
  if (form.kind === 'pkcs11') await form.token.close();
}

function unusable(what: string, reason: string): KannukiError {
  return new KannukiError('KNK-KVT-0008', { details: { what, reason } });
}

/** Only a certain "no" counts as one: a root key that cannot be seen just now must not be replaced. */
async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return false;
    const reason = `it cannot be looked at (${code})`;
    throw new KannukiError('KNK-KVT-0020', { details: { file: path, reason }, cause: error });
  }
}
