import { constants, type Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { KannukiError, SecretBytes } from '@kannuki/core';

/** A certificate with its chain and key fits; a token is far smaller. */
const limitBytes = 64 * 1024;
const groupWrite = 0o020;
const others = 0o007;

/**
 * Reads a token, a client's secret or a certificate with its key. Symbolic links are followed, since those who renew
 * credentials swap them; white space at the end is not part of a credential. The caller disposes it.
 * @throws KannukiError KNK-KVT-0051
 */
export async function readCredentialFile(file: string): Promise<SecretBytes> {
  return await readPrivately(file, (stats) => {
    if ((stats.mode & groupWrite) !== 0) return 'its group can write it';
    return (stats.mode & others) === 0 ? undefined : 'everybody can use it';
  });
}

/** Reads certificates of authorities (PEM), which are public but not for everybody to write. @throws KannukiError KNK-KVT-0051 */
export async function readAuthorityFile(file: string): Promise<Uint8Array> {
  using content = await readPrivately(file, (stats) =>
    (stats.mode & (groupWrite | 0o002)) === 0 ? undefined : 'others can write it',
  );
  return Uint8Array.from(content.bytes);
}

async function readPrivately(file: string, objection: (stats: Stats) => string | undefined): Promise<SecretBytes> {
  const handle = await opened(file);
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw refused(file, 'it is not a regular file');
    const reason = objection(stats);
    if (reason !== undefined) throw refused(file, reason);
    using content = SecretBytes.take(Buffer.alloc(limitBytes + 1));
    const length = await fill(handle, content.bytes);
    if (length > limitBytes) throw refused(file, `it has more than ${limitBytes} bytes`);
    const end = endOfText(content.bytes.subarray(0, length));
    if (end === 0) throw refused(file, 'it is empty');
    return SecretBytes.copy(content.bytes.subarray(0, end));
  } catch (error) {
    if (error instanceof KannukiError) throw error;
    throw refused(file, `it cannot be read (${(error as NodeJS.ErrnoException).code})`);
  } finally {
    await handle.close();
  }
}

async function opened(file: string): Promise<FileHandle> {
  try {
    return await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw refused(file, `it cannot be opened (${(error as NodeJS.ErrnoException).code})`);
  }
}

async function fill(handle: FileHandle, target: Uint8Array): Promise<number> {
  let length = 0;
  for (;;) {
    const { bytesRead } = await handle.read(target, length, target.length - length, null);
    length += bytesRead;
    if (bytesRead === 0 || length === target.length) return length;
  }
}

function endOfText(bytes: Uint8Array): number {
  let end = bytes.length;
  while (end > 0 && [0x20, 0x09, 0x0a, 0x0d].includes(bytes[end - 1] ?? 0)) end -= 1;
  return end;
}

function refused(file: string, reason: string): KannukiError {
  return new KannukiError('KNK-KVT-0051', { details: { file: file.slice(0, 400), reason } });
}
