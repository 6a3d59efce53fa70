import { lstat } from 'node:fs/promises';
import { KannukiError, type SecretBytes } from '@kannuki/core';
import type { NewRootKey, RootKeyOpeners } from '../root-key/root-key-file.ts';
import { RootKeyPlace } from '../root-key/root-key-place.ts';
import type { KeyEvent, TellKeyEvent } from '../rotation/due-rotations.ts';
import type { KeyModule } from '../service/key-module.ts';
import { EmbeddedVault } from './embedded-vault.ts';
import { HardwareKeys } from './hardware-keys.ts';
import { KeyWork } from './key-work/key-work.ts';
import { ObjectChanges } from './object-changes.ts';
import type { ObjectName } from './object-state.ts';
import type { RootKey } from './root-key.ts';
import type { VaultContext } from './vault-context.ts';
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
  /** Where HSM-protected keys live. Stays the caller's to close. */
  readonly keyModule?: KeyModule;
  /** Milliseconds since 1970. Default: the machine's clock. */
  readonly clock?: () => number;
}

/** What a run of the timer did. What failed stays due, and is tried again in the next run. */
export interface TimerRun<Done> {
  readonly done: readonly Done[];
  readonly failures: readonly (ObjectName & { readonly error: unknown })[];
}

/** How many objects one run of the timer takes up: the rest follow in the next. */
const mostInOneRun = 10_000;

/** Names below `.localhost` mean this machine (RFC 6761, 6.3). */
export const defaultDnsSuffix = 'vault.localhost';

const dnsSuffixShape = /^[a-z0-9](?:[a-z0-9.-]{0,200}[a-z0-9])?(?::[0-9]{1,5})?$/i;
/** REQ-120. */
const vaultNameShape = /^(?=.{3,24}$)[a-z](?:-?[a-z0-9])+$/i;

/** The embedded vaults of one database: a durable service without any HTTP. Use it from one place in one process. */
export class EmbeddedVaults implements AsyncDisposable {
  readonly #context: VaultContext;
  readonly #store: VaultStore;
  readonly #place: RootKeyPlace;
  readonly #dnsSuffix: string;
  /** By name in lower case; made when first asked for. */
  readonly #vaults = new Map<string, EmbeddedVault>();
  #lastRekey: Promise<unknown> = Promise.resolve();

  private constructor(context: VaultContext, place: RootKeyPlace, dnsSuffix: string) {
    this.#context = context;
    this.#store = context.store;
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
    const { lockWaitSeconds = 5, rescue = false, clock: now = Date.now, keyModule: module } = options;
    const rootKey = (ids: readonly string[]): Promise<RootKey> => place.open(ids);
    const store = await VaultStore.open({ databaseFile, rootKey, lockWaitSeconds, rescue });
    const work = new KeyWork((row) => store.openValue(row));
    return new EmbeddedVaults({ store, changes: new ObjectChanges(store), work, module, now }, place, dnsSuffix);
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
    const known = this.#vaults.get(name.toLowerCase());
    if (known !== undefined) return known;
    const stored = this.#store.findVault(name);
    if (stored === undefined) {
      throw new KannukiError('KNK-KVT-0003', { details: { object: `vault ${name.slice(0, 24)}` } });
    }
    const vault = new EmbeddedVault(this.#context, stored.name, this.#dnsSuffix);
    this.#vaults.set(name.toLowerCase(), vault);
    return vault;
  }

  /** Removes a vault with all its objects, live and deleted, for good. Does nothing where there is none. */
  async purgeVault(name: string): Promise<void> {
    await this.#context.changes.purgeVault(name, (rows) => new HardwareKeys(this.#context).destroy(rows));
    this.#vaults.delete(name.toLowerCase());
    this.forget();
    this.#store.emptyLog();
  }

  /**
   * REQ-354: purges every deleted object whose day has come.
   * @param now milliseconds since 1970
   * @returns what was purged
   */
  async purgeDue(now: number): Promise<TimerRun<ObjectName>> {
    const names = (['keys', 'secrets'] as const).flatMap((collection) =>
      this.#store.names(collection, 'purgeDue', now, mostInOneRun),
    );
    const run = await eachOf(names, async (of) => {
      await this.vault(of.vault)[of.collection].purgeDue(of.name, now);
      return [of];
    });
    if (run.done.length > 0) this.#store.emptyLog();
    return run;
  }

  /**
   * REQ-340: rotates every key that is due for it, and tells what became due since the last run.
   * @param now milliseconds since 1970
   * @param isServed false for vaults whose keys wait, such as deleted ones
   */
  async runRotations(
    now: number,
    isServed: (vault: string) => boolean = () => true,
    tell: TellKeyEvent = async () => undefined,
  ): Promise<TimerRun<KeyEvent>> {
    const names = this.#store.names('keys', 'eventsDue', now, mostInOneRun).filter(({ vault }) => isServed(vault));
    return eachOf(names, ({ vault, name }) => this.vault(vault).keys.runDue(name, now, tell));
  }

  /** Lets go of every usable private key in memory; they are opened anew when they are needed. */
  forget(): void {
    this.#context.work.forget();
  }

  /** 32 bytes for another use that depends on the same root key: `kannuki audit 1`. The caller disposes it. */
  derivedKey(purpose: string): SecretBytes {
    return this.#store.derivedKey(purpose);
  }

  /** Writes a consistent copy of the database, sealed as it is, while the vaults are in use. The root key is not in it. */
  async backup(target: string): Promise<void> {
    await this.#store.backup(target);
  }

  async close(): Promise<void> {
    await this.#lastRekey.catch(() => undefined);
    await this.#context.work.close();
    await this.#store.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

async function eachOf<Done>(
  names: readonly ObjectName[],
  act: (of: ObjectName) => Promise<readonly Done[]>,
): Promise<TimerRun<Done>> {
  const done: Done[] = [];
  const failures: (ObjectName & { readonly error: unknown })[] = [];
  for (const of of names) {
    try {
      done.push(...(await act(of)));
    } catch (error) {
      failures.push({ ...of, error });
    }
  }
  return { done, failures };
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
