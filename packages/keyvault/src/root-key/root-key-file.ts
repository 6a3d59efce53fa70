import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { link, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { KannukiError, SecretBytes, syncDirectory } from '@kannuki/core';
import { bodyStart, checkedContent, largestRootKeyFile, refusedFile, withCheckSum } from './file-format.ts';
import { MemoryRootKey, newRawRootKey, type RawRootKey } from './memory-root-key.ts';
import { decodeUnderPassphrase, encodeUnderPassphrase } from './passphrase-form.ts';
import { decodePlain, encodePlain } from './plain-form.ts';
import { type Privacy, readPrivateFile } from './private-file.ts';
import { decodeUnderToken, encodeUnderToken, type RootKeyToken } from './token-form.ts';

/** How a new root key is to be kept. Passphrase and token stay the caller's. */
export type NewRootKey =
  | { readonly kind: 'file' }
  | { readonly kind: 'passphrase'; readonly passphrase: SecretBytes }
  | { readonly kind: 'pkcs11'; readonly token: RootKeyToken };

/** What a root key that is not plain is opened with; each is asked only where the file needs it. */
export interface RootKeyOpeners {
  /** Undefined where nobody has given it (yet). What it gives is disposed. */
  readonly passphrase?: () => Promise<SecretBytes | undefined>;
  /** What it gives is closed. */
  readonly token?: () => Promise<RootKeyToken>;
}

/** The whole content of a root key file. The caller disposes it. */
export async function encodeRootKey(raw: RawRootKey, form: NewRootKey): Promise<SecretBytes> {
  using content =
    form.kind === 'file'
      ? encodePlain(raw)
      : SecretBytes.take(
          form.kind === 'passphrase'
            ? await encodeUnderPassphrase(raw, form.passphrase)
            : await encodeUnderToken(raw, form.token),
        );
  return SecretBytes.take(withCheckSum(content.bytes));
}

/**
 * Reads a root key file of any kind.
 * @returns the caller disposes it
 * @throws KannukiError KNK-KVT-0011 where file or content is not as it must be, 0013 missing, 0027 where nobody has
 * given the passphrase or the PIN, 0041 where the passphrase is wrong, 0042, 0043
 */
export async function readRawRootKey(
  path: string,
  privacy: Privacy,
  openers: RootKeyOpeners = {},
): Promise<RawRootKey> {
  using content = await readContent(path, privacy);
  const { head, body } = checkedContent(path, content.bytes);
  const id = Buffer.from(content.bytes.subarray(bodyStart - 16, bodyStart));
  if (head.kind === 'file') return decodePlain(path, id, body);
  if (head.kind === 'passphrase') {
    using passphrase = await openers.passphrase?.();
    if (passphrase === undefined) throw new KannukiError('KNK-KVT-0027');
    return await decodeUnderPassphrase(path, id, body, passphrase);
  }
  if (openers.token === undefined) throw refusedFile(path, 'it belongs to a PKCS #11 token, and none is configured');
  const token = await openers.token();
  try {
    return await decodeUnderToken(path, id, body, token);
  } finally {
    await token.close();
  }
}

/** A root key file that needs nothing else to be opened. @throws KannukiError KNK-KVT-0011, 0013, 0027 */
export async function readRootKeyFile(path: string): Promise<MemoryRootKey> {
  using raw = await readRawRootKey(path, 'own');
  return await MemoryRootKey.import(raw);
}

export function readContent(path: string, privacy: Privacy): Promise<SecretBytes> {
  return readPrivateFile(path, {
    privacy,
    largest: largestRootKeyFile,
    refused: (reason, cause) => refusedFile(path, reason, cause),
    missing: (cause) =>
      new KannukiError('KNK-KVT-0013', { details: { file: path, reason: 'there is no root key' }, cause }),
  });
}

/**
 * Makes a root key file: complete and on stable storage before it gets its name, and never in the place of another.
 * @returns false where one was there already
 * @throws KannukiError KNK-KVT-0020, 0022, 0042
 */
export async function createRootKeyFile(path: string, form: NewRootKey = { kind: 'file' }): Promise<boolean> {
  using raw = newRawRootKey();
  using content = await encodeRootKey(raw, form);
  try {
    return await createExclusively(path, content.bytes);
  } catch (error) {
    const reason = `it cannot be made (${(error as NodeJS.ErrnoException).code})`;
    throw new KannukiError('KNK-KVT-0020', { details: { file: path, reason }, cause: error });
  }
}

async function createExclusively(path: string, content: Uint8Array): Promise<boolean> {
  const temporary = `${path}.${randomBytes(8).toString('hex')}.new`;
  const file = await open(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  try {
    await file.chmod(0o600);
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(temporary, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(temporary, { force: true });
    await syncDirectory(dirname(path));
  }
}
