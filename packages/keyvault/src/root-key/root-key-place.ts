import { lstat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { KannukiError, removeDurably, renameDurably, SecretBytes, writeFileDurably } from '@kannuki/core';
import { type RootKeyFileHead, readHead, refusedFile } from './file-format.ts';
import { MemoryRootKey, newRawRootKey } from './memory-root-key.ts';
import type { Privacy } from './private-file.ts';
import {
  createRootKeyFile,
  encodeRootKey,
  type NewRootKey,
  type RootKeyOpeners,
  readContent,
  readRawRootKey,
} from './root-key-file.ts';

export interface RootKeyPlaceOptions {
  /** `root.key` in the vault's folder; a rekey writes `root.key.next` beside it. */
  readonly file: string;
  /** `$CREDENTIALS_DIRECTORY/kannuki-root-key`: read before the file where it is given. */
  readonly credentialFile?: string | undefined;
  readonly openers?: RootKeyOpeners;
}

interface Found {
  readonly path: string;
  readonly privacy: Privacy;
  readonly head: RootKeyFileHead;
}

/**
 * Where the root key of one database is. The file says of itself of which kind it is; which of several files counts is
 * what the database says: during a rekey there are two for a moment, and a power cut may come at any of its steps.
 */
export class RootKeyPlace {
  readonly #options: RootKeyPlaceOptions;
  readonly #next: string;

  constructor(options: RootKeyPlaceOptions) {
    this.#options = options;
    this.#next = `${options.file}.next`;
  }

  /** Whether there is any root key. @throws KannukiError KNK-KVT-0020 where that cannot be seen */
  async exists(): Promise<boolean> {
    const { file, credentialFile } = this.#options;
    for (const path of [credentialFile, file, this.#next]) if (path !== undefined && (await isThere(path))) return true;
    return false;
  }

  /** For a new database. @throws KannukiError KNK-KVT-0020, 0022, 0042 */
  async create(form: NewRootKey): Promise<void> {
    await createRootKeyFile(this.#options.file, form);
  }

  /**
   * Opens the root key for a database; finishes or takes back a rekey that was cut.
   * @param ids of the root keys that the database knows; none for a new one, which takes what is there
   * @throws KannukiError KNK-KVT-0011, 0012, 0013, 0027, 0041, 0042, 0043
   */
  async open(ids: readonly string[]): Promise<MemoryRootKey> {
    const found = await this.#find(ids);
    using raw = await readRawRootKey(found.path, found.privacy, this.#options.openers);
    if (Buffer.from(raw.id).toString('hex') !== found.head.id) throw refusedFile(found.path, 'it was changed just now');
    const key = await MemoryRootKey.import(raw);
    await this.#settle(found.path);
    return key;
  }

  /**
   * The first step of a rekey: a new root key lies on stable storage as `root.key.next`, and was read back from there.
   * @throws KannukiError KNK-KVT-0020, 0022, 0042
   */
  async prepare(form: NewRootKey): Promise<MemoryRootKey> {
    using raw = newRawRootKey();
    using content = await encodeRootKey(raw, form);
    try {
      await writeFileDurably(this.#next, content.bytes, 0o600);
    } catch (error) {
      const reason = `it cannot be written (${(error as NodeJS.ErrnoException).code})`;
      throw new KannukiError('KNK-KVT-0020', { details: { file: this.#next, reason }, cause: error });
    }
    // A root key that cannot be had back from its file would be the loss of everything.
    using again = await readRawRootKey(this.#next, 'own', openersOf(form));
    if (!again.key.equals(raw.key)) throw refusedFile(this.#next, 'what was read back is not what was written');
    return await MemoryRootKey.import(raw);
  }

  /** The last step of a rekey, or its end when it failed: which, the database says. */
  async finish(ids: readonly string[]): Promise<void> {
    await this.#settle((await this.#find(ids)).path);
  }

  async #settle(used: string): Promise<void> {
    const { file } = this.#options;
    // What a cut durable write leaves; it may hold a key.
    const unfinished = join(dirname(this.#next), `.${basename(this.#next)}.new`);
    try {
      if (used === this.#next) await renameDurably(this.#next, file);
      else if (await isThere(this.#next)) await removeDurably(this.#next);
      if (await isThere(unfinished)) await removeDurably(unfinished);
    } catch (error) {
      if (error instanceof KannukiError) throw error;
      const reason = `it cannot be replaced (${(error as NodeJS.ErrnoException).code})`;
      throw new KannukiError('KNK-KVT-0020', { details: { file, reason }, cause: error });
    }
  }

  async #find(ids: readonly string[]): Promise<Found> {
    const { file, credentialFile } = this.#options;
    const places: (readonly [string, Privacy])[] = [
      [file, 'own'],
      [this.#next, 'own'],
    ];
    if (credentialFile !== undefined) places.unshift([credentialFile, 'credential']);
    let other: RootKeyFileHead | undefined;
    let problem: unknown;
    for (const [path, privacy] of places) {
      try {
        using content = await readContent(path, privacy);
        const head = readHead(content.bytes);
        if (head === undefined) throw refusedFile(path, 'it is not a root key file');
        if (ids.length === 0 || ids.includes(head.id)) return { path, privacy, head };
        other ??= head;
      } catch (error) {
        // A file that is refused says more than one that is missing.
        if (problem === undefined || isMissing(problem)) problem = isMissing(error) ? (problem ?? error) : error;
      }
    }
    if (other !== undefined) {
      const expected = ids.join(', ');
      throw new KannukiError('KNK-KVT-0012', { details: { file, rootKey: other.id, expected } });
    }
    throw problem;
  }
}

function openersOf(form: NewRootKey): RootKeyOpeners {
  if (form.kind === 'passphrase') return { passphrase: async () => SecretBytes.copy(form.passphrase.bytes) };
  // The token stays the caller's, so it is not closed here.
  if (form.kind === 'pkcs11') {
    const { token } = form;
    return {
      token: async () => ({
        label: token.label,
        seal: (key) => token.seal(key),
        open: (sealed) => token.open(sealed),
        close: async () => undefined,
      }),
    };
  }
  return {};
}

function isMissing(error: unknown): boolean {
  return error instanceof KannukiError && error.code === 'KNK-KVT-0013';
}

/** Only a certain "no" counts as one: a root key that cannot be seen just now must not be replaced. */
async function isThere(path: string): Promise<boolean> {
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
