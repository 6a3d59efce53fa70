import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { SecretBytes } from '@kannuki/core';

/** Who else may have to do with a file: `own` is ours alone, mode 0600; `credential` is how systemd hands one over. */
export type Privacy = 'own' | 'credential';

export interface ReadPrivateFileOptions {
  readonly privacy: Privacy;
  readonly largest: number;
  readonly refused: (reason: string, cause?: unknown) => Error;
  /** For a file that is not there. */
  readonly missing: (cause: unknown) => Error;
}

/**
 * Reads a small secret file whole. Refused: anything but a regular file, a symbolic link, one that others may read or
 * that another user owns, an empty one, one that is too long.
 * @returns the caller disposes it
 */
export async function readPrivateFile(path: string, options: ReadPrivateFileOptions): Promise<SecretBytes> {
  const { privacy, largest, refused } = options;
  const file = await openForReading(path, options);
  try {
    const status = await file.stat();
    if (!status.isFile()) throw refused('it is not a regular file');
    const problem = ownershipProblem(status.mode & 0o7777, status.uid, privacy);
    if (problem !== undefined) throw refused(problem);
    if (status.size === 0) throw refused('it is empty');
    if (status.size > largest) throw refused(`it has ${status.size} bytes, more than ${largest}`);
    const content = SecretBytes.take(Buffer.from(new ArrayBuffer(status.size)));
    const { bytesRead } = await file.read(content.bytes, 0, status.size, 0);
    if (bytesRead === status.size) return content;
    content[Symbol.dispose]();
    throw refused('it became shorter while it was read');
  } finally {
    await file.close();
  }
}

function ownershipProblem(mode: number, owner: number, privacy: Privacy): string | undefined {
  const self = process.geteuid?.();
  if (privacy === 'own') {
    if (mode !== 0o600) return `its mode is ${octal(mode)}, not 0600`;
    return owner === self ? undefined : `it belongs to user ${owner}`;
  }
  // systemd.exec(5): read-only, of root or of the service's user. Where an ACL lets that user in, its mask shows as the
  // group's right to read.
  if ((mode & ~0o640) !== 0) return `its mode is ${octal(mode)}: others than its service may use it`;
  return owner === 0 || owner === self ? undefined : `it belongs to user ${owner}`;
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}

async function openForReading(path: string, { refused, missing }: ReadPrivateFileOptions): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw missing(error);
    throw refused(code === 'ELOOP' ? 'it is a symbolic link' : `it cannot be opened (${code})`, error);
  }
}
