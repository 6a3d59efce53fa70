import { constants } from 'node:fs';
import { copyFile, readFile, readlink, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  KannukiError,
  makeDirectoryDurably,
  removeDurably,
  renameDurably,
  syncDirectory,
  syncFile,
  writeFileDurably,
} from '@kannuki/core';
import type { Step, StepContext } from '../volumes/context.ts';
import type { Journal } from '../volumes/journal.ts';
import { type EnginePaths, headerPath } from '../volumes/paths.ts';
import { reloadUnits } from '../volumes/services.ts';
import { appendLine, removeLines, replaceLine } from './lines.ts';
import {
  conversionUnitFiles,
  crypttabFields,
  keyVolumeMountPoint,
  keyVolumeUnitFiles,
  mountUnitFiles,
  type UnitFile,
} from './units.ts';

/**
 * Moves the volume's mount entry from fstab into our own file and says to the boot how to unlock it. The order makes each
 * instant safe for a power cut: crypttab first (the mapping then holds the raw disk, so that it cannot be mounted
 * beside it), then our units (they win over what systemd makes of fstab), the line in fstab last. All of it may be done again.
 */
export const moveEntries: Step = async (journal, context) => {
  const { paths } = context;
  await backUpFstab(paths);
  await appendLine(paths.crypttab, crypttabLine(journal, paths), isCrypttabLineOf(journal));
  await makeDirectoryDurably(dirname(paths.mounts));
  await appendLine(paths.mounts, mountsLine(journal), (line) => line === mountsLine(journal));
  for (const file of unitFiles(journal)) await writeUnit(paths, file);
  if (!(await replaceLine(paths.fstab, journal.mount.originalLine, movedLine(journal)))) {
    throw new KannukiError('KNK-VOL-0008', { details: { point: journal.mount.point, path: paths.fstab } });
  }
  await reloadUnits(context.run);
  return journal;
};

/** The opposite, in the opposite order: fstab is as it was, byte for byte, and nothing of ours is left. */
export async function restoreEntries(journal: Journal, context: StepContext): Promise<void> {
  const { paths } = context;
  await replaceLine(paths.fstab, movedLine(journal), journal.mount.originalLine);
  // The key volume's unit may serve other volumes: it stays, and does nothing by itself.
  for (const { path } of [...conversionUnitFiles(journal.name, journal.mount.point), ...mountUnits(journal)])
    await removeDurably(join(paths.units, path));
  await removeLines(paths.mounts, (line) => line === mountsLine(journal));
  await removeLines(paths.crypttab, isCrypttabLineOf(journal));
  await reloadUnits(context.run);
}

function crypttabLine(journal: Journal, paths: EnginePaths): string {
  const keyFile = journal.keySource === 'key-volume' ? join(keyVolumeMountPoint, journal.keyFileName) : null;
  const header = headerPath(paths, journal.name);
  return crypttabFields({ mapper: journal.name, device: journal.device.path, header, keyFile }).join(' ');
}

function isCrypttabLineOf(journal: Journal): (line: string) => boolean {
  return (line) => line.split(/\s+/)[0] === journal.name;
}

/** fstab(5) writes blanks and backslashes of a path as octal numbers. */
function fstabField(text: string): string {
  return text.replace(/[\s\\#]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`);
}

function mountsLine(journal: Journal): string {
  const { point, options, dump, pass } = journal.mount;
  const fields = [`/dev/mapper/${journal.name}`, fstabField(point), journal.fileSystem.type, options, dump, pass];
  return fields.join(' ');
}

function movedLine(journal: Journal): string {
  return `# moved to /etc/kannuki/mounts by kannuki: ${journal.mount.originalLine}`;
}

/** What only the conversion needed goes with it. */
export async function removeConversionUnits(journal: Journal, context: StepContext): Promise<void> {
  const files = conversionUnitFiles(journal.name, journal.mount.point);
  for (const { path } of files) await removeDurably(join(context.paths.units, path));
  await reloadUnits(context.run);
}

function mountUnits(journal: Journal): readonly UnitFile[] {
  const { point, options, pass } = journal.mount;
  return mountUnitFiles({ mapper: journal.name, point, fileSystem: journal.fileSystem.type, options, pass });
}

function unitFiles(journal: Journal): readonly UnitFile[] {
  const keyVolume = journal.keyVolumeUuid === null ? [] : keyVolumeUnitFiles(journal.keyVolumeUuid);
  return [...keyVolume, ...conversionUnitFiles(journal.name, journal.mount.point), ...mountUnits(journal)];
}

async function writeUnit(paths: EnginePaths, file: UnitFile): Promise<void> {
  const path = join(paths.units, file.path);
  await makeDirectoryDurably(dirname(path));
  if ('content' in file) {
    await writeFileDurably(path, file.content);
    return;
  }
  if ((await linkTarget(path)) === file.target) return;
  await removeDurably(path);
  await symlink(file.target, path);
  await syncDirectory(dirname(path));
}

async function linkTarget(path: string): Promise<string | undefined> {
  try {
    return await readlink(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The fstab of before Kannuki, kept once and for all (REQ-048, REQ-094). */
async function backUpFstab(paths: EnginePaths): Promise<void> {
  const unfinished = `${paths.fstabBackup}.new`;
  try {
    await readFile(paths.fstabBackup);
    return;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  await copyFile(paths.fstab, unfinished, constants.COPYFILE_FICLONE);
  await syncFile(unfinished);
  await renameDurably(unfinished, paths.fstabBackup);
}
