import { createHash, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, link, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { KannukiError, SecretBytes, syncDirectory } from '@kannuki/core';
import { openSealed, seal } from './sealed.ts';

/**
 * The key at the top: it seals the data key of every object and nothing else. Asynchronous, so that a root key in an
 * HSM or behind a passphrase can stand in its place.
 */
export interface RootKey {
  /** Names the key, tells nothing about it: 32 hexadecimal digits. */
  readonly id: string;
  /** @param context what the result is bound to; `open` needs the same */
  seal(dataKey: SecretBytes, context: Uint8Array): Promise<Uint8Array>;
  /** @returns undefined where key, context or bytes do not fit; the caller disposes the result */
  open(sealed: Uint8Array, context: Uint8Array): Promise<SecretBytes | undefined>;
  /** Wipes the key from memory. */
  close(): void;
}

/** Layout of a root key file: magic, id, AES-256 key, first bytes of the SHA-256 of all that. */
const magic = Buffer.from('KNKROOT1', 'latin1');
const idEnd = magic.length + 16;
const keyEnd = idEnd + 32;
const fileBytes = keyEnd + 8;

/**
 * Reads a root key file. Refused (KNK-KVT-0011): anything but a regular file with mode 0600 that we own, a symbolic
 * link, a wrong size or check sum. Missing: KNK-KVT-0013.
 */
export async function readRootKeyFile(path: string): Promise<RootKey> {
  const file = await openRootKeyFile(path);
  try {
    const status = await file.stat();
    const mode = status.mode & 0o7777;
    if (!status.isFile()) throw refused(path, 'it is not a regular file');
    if (mode !== 0o600) throw refused(path, `its mode is ${mode.toString(8).padStart(4, '0')}, not 0600`);
    if (status.uid !== process.geteuid?.()) throw refused(path, `it belongs to user ${status.uid}`);
    if (status.size !== fileBytes) throw refused(path, `it has ${status.size} bytes, not ${fileBytes}`);
    using content = SecretBytes.take(Buffer.alloc(fileBytes));
    const { bytesRead } = await file.read(content.bytes, 0, fileBytes, 0);
    if (bytesRead !== fileBytes || !isWellFormed(content.bytes)) throw refused(path, 'its check sum is wrong');
    return new FileRootKey(content.bytes);
  } finally {
    await file.close();
  }
}

/**
 * Makes a root key file: complete and on stable storage before it gets its name, and never in the place of another.
 * @returns false where one was there already
 * @throws KannukiError KNK-KVT-0020
 */
export async function createRootKeyFile(path: string): Promise<boolean> {
  try {
    return await createExclusively(path);
  } catch (error) {
    const reason = `it cannot be made (${(error as NodeJS.ErrnoException).code})`;
    throw new KannukiError('KNK-KVT-0020', { details: { file: path, reason }, cause: error });
  }
}

async function createExclusively(path: string): Promise<boolean> {
  const temporary = `${path}.${randomBytes(8).toString('hex')}.new`;
  const file = await open(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  try {
    using content = newContent();
    await file.chmod(0o600);
    await file.writeFile(content.bytes);
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

class FileRootKey implements RootKey {
  readonly id: string;
  readonly #key: SecretBytes;

  constructor(content: Uint8Array) {
    this.id = Buffer.from(content.subarray(magic.length, idEnd)).toString('hex');
    this.#key = SecretBytes.copy(content.subarray(idEnd, keyEnd));
  }

  seal(dataKey: SecretBytes, context: Uint8Array): Promise<Uint8Array> {
    return Promise.resolve(seal(this.#key, dataKey, context));
  }

  open(sealed: Uint8Array, context: Uint8Array): Promise<SecretBytes | undefined> {
    return openSealed(this.#key, sealed, context);
  }

  close(): void {
    this.#key[Symbol.dispose]();
  }
}

function newContent(): SecretBytes {
  const content = Buffer.alloc(fileBytes);
  magic.copy(content);
  using random = SecretBytes.random(keyEnd - magic.length);
  content.set(random.bytes, magic.length);
  checkSum(content).copy(content, keyEnd);
  return SecretBytes.take(content);
}

function isWellFormed(content: Uint8Array): boolean {
  return magic.equals(content.subarray(0, magic.length)) && checkSum(content).equals(content.subarray(keyEnd));
}

function checkSum(content: Uint8Array): Buffer {
  return createHash('sha256')
    .update(content.subarray(0, keyEnd))
    .digest()
    .subarray(0, fileBytes - keyEnd);
}

async function openRootKeyFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') {
      throw new KannukiError('KNK-KVT-0013', { details: { file: path, reason: 'there is no root key' }, cause: error });
    }
    throw refused(path, code === 'ELOOP' ? 'it is a symbolic link' : `it cannot be opened (${code})`, error);
  }
}

function refused(file: string, reason: string, cause?: unknown): KannukiError {
  return new KannukiError('KNK-KVT-0011', { details: { file, reason }, cause });
}
