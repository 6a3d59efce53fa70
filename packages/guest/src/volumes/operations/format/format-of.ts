import { readFile } from 'node:fs/promises';
import { KannukiError, type Run } from '@kannuki/core';
import { readLuks2Header } from '@kannuki/formats';
import { tracesOn } from '../../blank.ts';
import { readHeaderFile } from '../../header-file.ts';
import { assertSameDevice } from '../../identity.ts';
import type { Journal } from '../../journal.ts';
import { activeMapping } from '../../mapping.ts';
import { probeFileSystem } from '../../mounting.ts';
import { type EnginePaths, headerPath } from '../../paths.ts';
import type { MarkedImage } from '../../steps/marked-image.ts';
import type { MountUse } from '../../uses/mount.ts';
import type { FormatRecord } from './format-record.ts';

/** What the journal of a format says of it. */
export function formatOf({ name, format }: Journal): FormatRecord {
  if (format === undefined) throw new Error(`the journal of ${name} has no record of a format`);
  return format;
}

export function mountUseOf({ name, use }: Journal): MountUse {
  if (use.kind !== 'mount') throw new Error(`${name} is no volume to mount`);
  return use;
}

/** The header that was prepared; its first sector has magic and UUID in it, and is the mark of our device. */
export async function preparedHeader(journal: Journal, paths: EnginePaths): Promise<MarkedImage> {
  return { bytes: await readFile(headerPath(paths, journal.name)), markOffset: 0 };
}

/**
 * Refuses a device that does not hold what the owner gave up: the file system with that UUID, or nothing at all. Size and serial
 * number are not enough where something is about to be written over.
 * @throws KannukiError KNK-VOL-0004
 */
export async function assertGivenUp(journal: Journal, run: Run): Promise<void> {
  await assertSameDevice(journal, run);
  const { before } = formatOf(journal);
  const { path, sizeBytes } = journal.device;
  if (before === null) {
    const traces = await tracesOn(run, path, sizeBytes);
    if (traces !== 'nothing') throw wrongDevice(journal, traces, 'a blank device');
    return;
  }
  const seen = await probeFileSystem(run, path);
  if (seen?.type === before.type && seen.uuid === before.uuid) return;
  throw wrongDevice(
    journal,
    seen === undefined ? 'no file system' : `${seen.type} ${seen.uuid}`,
    `${before.type} ${before.uuid}`,
  );
}

/**
 * Refuses a device that does not begin with our header: another disk may have come into its place since the last boot.
 * @throws KannukiError KNK-VOL-0004
 */
export async function assertOurHeader(journal: Journal, run: Run): Promise<void> {
  await assertSameDevice(journal, run);
  const { luksUuid } = formatOf(journal);
  const seen = await uuidOnDevice(journal.device.path);
  if (seen !== luksUuid) throw wrongDevice(journal, seen ?? 'no LUKS header', `LUKS ${luksUuid}`);
}

/** Refuses a mapping of our name that lies over another header: cryptsetup puts the header's UUID into the mapping's. */
export async function assertOurMapping(journal: Journal): Promise<void> {
  const wanted = `CRYPT-LUKS2-${formatOf(journal).luksUuid.replaceAll('-', '')}-${journal.name}`;
  const mapping = await activeMapping(journal.name);
  if (mapping?.uuid !== wanted) throw wrongDevice(journal, mapping?.uuid ?? 'no mapping', wanted);
}

async function uuidOnDevice(path: string): Promise<string | undefined> {
  try {
    return readLuks2Header(await readHeaderFile(path)).newest.uuid;
  } catch (error) {
    if (error instanceof KannukiError) return undefined;
    throw error;
  }
}

function wrongDevice({ name, device }: Journal, seen: string, wanted: string): KannukiError {
  return new KannukiError('KNK-VOL-0004', { details: { volume: name, device: device.path, seen, wanted } });
}
