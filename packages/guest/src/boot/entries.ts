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
import { headerPlace } from '../volumes/header-place.ts';
import type { Journal } from '../volumes/journal.ts';
import type { RandomKeyRecord } from '../volumes/operations/random-key/random-key-record.ts';
import type { EnginePaths } from '../volumes/paths.ts';
import { reloadUnits } from '../volumes/services.ts';
import { useOf } from '../volumes/uses/uses.ts';
import type { BootEntries } from './boot-entries.ts';
import { hideFromLvm, showToLvm } from './hide-from-lvm.ts';
import { appendLine, removeLines, replaceLine } from './lines.ts';
import {
  crypttabFields,
  keyVolumeMountPoint,
  keyVolumeUnitFiles,
  randomKeyFields,
  type UnitFile,
  unlockConversionUnitFile,
} from './units.ts';

/**
 * Makes the boot unlock the volume, and moves its entry from fstab into our own file. The order makes each instant safe for
 * a power cut: crypttab first (the mapping then holds the raw disk, so that it cannot be mounted beside it), then our
 * units (they win over what systemd makes of fstab), the lines in fstab last. All of it may be done again.
 */
export const moveEntries: Step = async (journal, context) => {
  await using _shared = await context.locks.shared();
  const { paths } = context;
  const entries = entriesOf(journal);
  await backUpFstab(paths);
  // First of all: from here on LVM sees the volume only over its mapping.
  if (entries.hiddenFromLvm !== undefined) {
    await hideFromLvm({ volume: journal.name, device: entries.hiddenFromLvm }, paths, context.run);
  }
  await appendLine(paths.crypttab, crypttabLine(journal, paths), isCrypttabLineOf(journal));
  if (entries.mountsLine !== null) {
    await makeDirectoryDurably(dirname(paths.mounts));
    await appendLine(paths.mounts, entries.mountsLine, (line) => line === entries.mountsLine);
  }
  for (const file of [...keyVolumeUnits(journal), ...conversionUnits(journal), ...entries.units])
    await writeUnit(paths, file);
  for (const { original, moved } of entries.fstab) {
    if (await replaceLine(paths.fstab, original, moved)) continue;
    throw new KannukiError('KNK-VOL-0008', { details: { point: useOf(journal).name, path: paths.fstab } });
  }
  await reloadUnits(context.run);
  return journal;
};

/** The opposite, in the opposite order: fstab is as it was, byte for byte, and nothing of ours is left. */
export async function restoreEntries(journal: Journal, context: StepContext): Promise<void> {
  await using _shared = await context.locks.shared();
  const { paths } = context;
  const entries = entriesOf(journal);
  for (const { original, moved } of entries.fstab) await replaceLine(paths.fstab, moved, original);
  // The key volume's unit may serve other volumes: it stays, and does nothing by itself.
  for (const { path } of [...entries.units, ...conversionUnits(journal)]) await removeDurably(join(paths.units, path));
  await removeLines(paths.mounts, (line) => line === entries.mountsLine);
  await removeLines(paths.crypttab, isCrypttabLineOf(journal));
  if (entries.hiddenFromLvm !== undefined) {
    await showToLvm({ volume: journal.name, device: entries.hiddenFromLvm }, paths, context.run);
  }
  await reloadUnits(context.run);
}

/** The volume is no file system any more: what mounted it goes for good, the unlock stays. */
export async function becomeBare(journal: Journal, context: StepContext): Promise<void> {
  await using _shared = await context.locks.shared();
  const { paths } = context;
  const entries = entriesOf(journal);
  for (const { path } of [...entries.conversionUnits, ...entries.units]) await removeDurably(join(paths.units, path));
  await removeLines(paths.mounts, (line) => line === entries.mountsLine);
  for (const { moved } of entries.fstab) await removeLines(paths.fstab, (line) => line === moved);
  await reloadUnits(context.run);
}

/** What the boot needs as long as header and disk change together, e.g. for an operation on a volume that is encrypted. */
export async function writeConversionUnits(journal: Journal, context: StepContext): Promise<void> {
  for (const file of conversionUnits(journal)) await writeUnit(context.paths, file);
  await reloadUnits(context.run);
}

/** What only the conversion needed goes with it. */
export async function removeConversionUnits(journal: Journal, context: StepContext): Promise<void> {
  for (const { path } of conversionUnits(journal)) await removeDurably(join(context.paths.units, path));
  await reloadUnits(context.run);
}

function entriesOf(journal: Journal): BootEntries {
  return useOf(journal).bootEntries(journal.name);
}

function keyVolumeUnits({ keyVolumeUuid }: Journal): readonly UnitFile[] {
  return keyVolumeUuid === null ? [] : keyVolumeUnitFiles(keyVolumeUuid);
}

function conversionUnits(journal: Journal): readonly UnitFile[] {
  // Without a header there is nothing to recover.
  if (journal.keySource === 'random') return [];
  return [unlockConversionUnitFile(journal.name), ...entriesOf(journal).conversionUnits];
}

function crypttabLine(journal: Journal, paths: EnginePaths): string {
  if (journal.randomKey !== undefined) return randomKeyLine(journal, journal.randomKey);
  const keyFile = journal.keySource === 'key-volume' ? join(keyVolumeMountPoint, journal.keyFileName) : null;
  const header = journal.header.place === 'disk' ? null : headerPlace(journal, paths);
  return crypttabFields({ mapper: journal.name, device: bootName(journal), header, keyFile }).join(' ');
}

/** A header on the device itself has a UUID that lasts, better than a name that the kernel gives in passing. */
function bootName({ device, header, luksUuid }: Journal): string {
  const lasts = /^\/dev\/(?:disk|mapper)\//.test(device.path);
  return header.place === 'disk' && luksUuid !== null && !lasts ? `UUID=${luksUuid}` : device.path;
}

function randomKeyLine({ name, device, use, header }: Journal, { markUuid, offsetBytes }: RandomKeyRecord): string {
  const content = use.kind === 'temporary' ? `tmp=${use.fileSystem}` : 'swap';
  const source = markUuid === null ? device.path : `UUID=${markUuid}`;
  return randomKeyFields({ mapper: name, device: source, content, offsetBytes, ...header }).join(' ');
}

function isCrypttabLineOf(journal: Journal): (line: string) => boolean {
  return (line) => line.split(/\s+/)[0] === journal.name;
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
