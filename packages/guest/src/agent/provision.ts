import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { removeDurably } from '@kannuki/core';

/** Where the host puts what this start of the VM has to know: a tmpfs, files of mode 0400. */
export const provisionFolder = '/run/kannuki/provision';

export interface Provision {
  readonly serverUrl: string;
  /** PEM. */
  readonly authority: string;
  /** Only while this VM has not joined. */
  readonly joinToken: string | undefined;
}

const limitBytes = 64 * 1024;

/** @returns undefined where the host gave nothing, e.g. on a machine of another cloud */
export async function readProvision(folder: string = provisionFolder): Promise<Provision | undefined> {
  const [serverUrl, authority, joinToken] = await Promise.all([
    readText(join(folder, 'server-url')),
    readText(join(folder, 'authority.pem')),
    readText(join(folder, 'join-token')),
  ]);
  if (serverUrl === undefined || authority === undefined) return undefined;
  return { serverUrl: serverUrl.trim(), authority, joinToken: joinToken?.trim() };
}

/** The token is of no more use, and nobody else on this VM needs to see it. */
export async function forgetJoinToken(folder: string = provisionFolder): Promise<void> {
  await removeDurably(join(folder, 'join-token'));
}

async function readText(path: string): Promise<string | undefined> {
  try {
    const text = await readFile(path, 'utf8');
    return text.length > limitBytes ? undefined : text;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
