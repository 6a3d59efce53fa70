import { constants } from 'node:fs';
import { copyFile, lstat, mkdir, readdir, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative } from 'node:path';
import { KannukiError, renameDurably, syncDirectory, syncFile } from '@kannuki/core';
import type { SealableVaults } from '@kannuki/keyvault';
import { type DataPaths, dataPaths } from '../data-directory.ts';
import type { ServerDatabase } from '../storage/database.ts';

export interface BackUpParts {
  readonly paths: DataPaths;
  readonly database: ServerDatabase;
  readonly sealable: SealableVaults;
}

export interface BackUpReport {
  readonly directory: string;
  readonly files: number;
  readonly bytes: number;
  /** What has to be kept elsewhere and is not in it. */
  readonly without: readonly string[];
}

/**
 * Copies what a server knows, while it works, to a new folder that has the shape of a data folder: put the root key into its
 * `vault` folder, and a server starts on it. The root key itself, and the images and disks of VMs, are not in it. server.db
 * comes before vault.db: what was stored in between is there and unknown, instead of known and not there.
 * @param directory absolute; must not exist, its parent must
 * @throws KannukiError KNK-SRV-0029, KNK-KVT-0027 while sealed
 */
export async function backUp({ paths, database, sealable }: BackUpParts, directory: string): Promise<BackUpReport> {
  const refuse = (reason: string, cause?: unknown): KannukiError =>
    new KannukiError('KNK-SRV-0029', { details: { directory: directory.slice(0, 300), reason }, cause });
  if (!isAbsolute(directory)) throw refuse('it is no absolute path');
  if (!relative(paths.root, directory).startsWith('..')) throw refuse('it lies in the data folder');
  const vaults = sealable.vaults();
  // It gets its name when it is whole and on the disk: a cut in the middle must not leave what looks like a backup.
  const to = dataPaths(`${directory}.partial`);
  try {
    if (await isThere(directory)) throw refuse('it is there already');
    await mkdir(to.root, { mode: 0o700 });
    for (const folder of [dirname(to.vaultDatabase), to.authority, to.audit]) await mkdir(folder, { mode: 0o700 });
    await database.backup(to.database);
    await vaults.backup(to.vaultDatabase);
    // The anchor before the log: the log may have grown since, and must never be shorter than it says.
    await copyWhole(paths.auditAnchor, to.auditAnchor);
    for (const [from, into] of [
      [paths.audit, to.audit],
      [paths.authority, to.authority],
    ] as const) {
      for (const name of await readdir(from)) await copyWhole(join(from, name), join(into, name));
    }
    await copyWhole(paths.adminFile, to.adminFile);
    for (const folder of [to.audit, to.authority, dirname(to.vaultDatabase), to.root]) {
      await syncDirectory(folder);
    }
    await renameDurably(to.root, directory);
  } catch (error) {
    if (error instanceof KannukiError) throw error;
    throw refuse((error as NodeJS.ErrnoException).code ?? 'unknown', error);
  }
  return { directory, ...(await sizeOf(directory)), without: [paths.vaultRootKey, paths.host] };
}

async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

/** Nothing where there is no such file: an audit log that nobody has written to has no anchor. */
async function copyWhole(from: string, to: string): Promise<void> {
  try {
    await copyFile(from, to, constants.COPYFILE_EXCL);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  await syncFile(to);
}

async function sizeOf(directory: string): Promise<{ readonly files: number; readonly bytes: number }> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(files.map(async (file) => (await stat(join(file.parentPath, file.name))).size));
  return { files: files.length, bytes: sizes.reduce((sum, size) => sum + size, 0) };
}
