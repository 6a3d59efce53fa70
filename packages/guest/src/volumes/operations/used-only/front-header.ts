import { type FileHandle, open, rm } from 'node:fs/promises';
import { KannukiError, makeDirectoryDurably, renameDurably, syncFile, writeAll } from '@kannuki/core';
import { openKeyslot, readLuks2Header, withFrontOnly } from '@kannuki/formats';
import { plainTuning } from '../../../tuning/tuning.ts';
import type { Step } from '../../context.ts';
import { readHeaderFile } from '../../header-file.ts';
import type { Journal } from '../../journal.ts';
import { type EnginePaths, headerFolder, headerPath } from '../../paths.ts';
import { escrowHeaderAt, readPassphrase } from '../../steps/escrow.ts';
import { useOf } from '../../uses/uses.ts';
import { frontFor } from './estimate.ts';
import { readExtGeometry } from './ext-geometry.ts';
import { leastSize } from './least-size.ts';
import { usedOnlyOf } from './used-only-of.ts';

/**
 * Where the header waits for the file system to be shrunk. Nothing opens it there. The rule that makes every instant safe: a
 * header at its own place means that the file system has the size of the front, on stable storage.
 */
export function preparedHeaderPath(paths: EnginePaths, volume: string): string {
  return `${headerPath(paths, volume)}.prepared`;
}

/** Makes the header, for a front that fits what the volume holds now. May be done again: nothing is opened with it yet. */
export const makeFrontHeader: Step = async (journal, context) => {
  const record = usedOnlyOf(journal);
  const device = journal.device.path;
  const geometry = await readExtGeometry(device);
  const least = geometry === null ? null : await leastSize(context.run, device, geometry);
  const frontBytes = least === null ? null : frontFor(least, journal.device.sizeBytes);
  if (frontBytes === null) throw new KannukiError('KNK-VOL-0061', { details: { point: useOf(journal).name } });

  const prepared = preparedHeaderPath(context.paths, journal.name);
  const unfinished = `${headerPath(context.paths, journal.name)}.new`;
  await makeDirectoryDurably(headerFolder(context.paths), 0o700);
  await rm(unfinished, { force: true });
  using passphrase = await readPassphrase(journal, context.vault);
  const { sectorSize, resilience } = journal.header;
  const { tuning = plainTuning(sectorSize) } = journal;
  await context.cryptsetup.makeHeader({ header: unfinished, device, passphrase, tuning, resilience });
  const bytes = await readHeaderFile(unfinished);
  using volumeKey = openKeyslot(bytes, passphrase);
  await overwriteBeginning(unfinished, withFrontOnly(bytes, frontBytes, volumeKey));
  await context.cryptsetup.testPassphrase(unfinished, device, passphrase);
  await syncFile(unfinished);
  await renameDurably(unfinished, prepared);
  const luksUuid = readLuks2Header(await readHeaderFile(prepared)).newest.uuid;
  return { ...journal, luksUuid, usedOnly: { ...record, frontBytes } };
};

export const escrowFrontHeader: Step = (journal, context) =>
  escrowHeaderAt(preparedHeaderPath(context.paths, journal.name), journal, context);

async function overwriteBeginning(path: string, bytes: Uint8Array): Promise<void> {
  const file: FileHandle = await open(path, 'r+');
  try {
    await writeAll(file, bytes, 0);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The header takes its place: from here on the boot opens the volume with it. */
export async function putHeaderInPlace(journal: Journal, paths: EnginePaths): Promise<void> {
  await renameDurably(preparedHeaderPath(paths, journal.name), headerPath(paths, journal.name));
}

/** Only while no block has been converted. */
export async function takeHeaderOutOfPlace(journal: Journal, paths: EnginePaths): Promise<void> {
  await renameDurably(headerPath(paths, journal.name), preparedHeaderPath(paths, journal.name));
}
