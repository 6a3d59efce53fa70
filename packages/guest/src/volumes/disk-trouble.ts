import { KannukiError } from '@kannuki/core';

/** errno(3) of a disk that is full, over quota, read-only or broken, in words. */
const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'no space left on device',
  EDQUOT: 'disk quota exceeded',
  EROFS: 'read-only file system',
  EIO: 'input/output error',
};

/** What a system call says of a disk in trouble, as an error of the catalogue (KNK-VOL-0014); any other error as it is. */
export function diskTrouble(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof KannukiError) return error;
  const { code, syscall, path } = error as NodeJS.ErrnoException;
  const reason = reasons[code ?? ''];
  if (reason === undefined) return error;
  const details = { call: syscall ?? 'write', path: path ?? '/var/lib/kannuki', reason };
  return new KannukiError('KNK-VOL-0014', { details, cause: error });
}

export async function tellingDiskTrouble<Result>(action: () => Promise<Result>): Promise<Result> {
  try {
    return await action();
  } catch (error) {
    throw diskTrouble(error);
  }
}
