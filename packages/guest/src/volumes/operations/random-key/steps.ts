import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { KannukiError, makeDirectoryDurably, removeDurably, renameDurably, syncFile } from '@kannuki/core';
import type { Step, StepContext } from '../../context.ts';
import { assertSameDevice } from '../../identity.ts';
import type { Journal } from '../../journal.ts';
import { activeMapping } from '../../mapping.ts';
import { makeMapperNodes } from '../../mounting.ts';
import { type EnginePaths, headerFolder, headerPath } from '../../paths.ts';
import { mapperPath, restartUnits, stopUnitsInTheWay } from '../../steps/map.ts';
import { carriesMark, type MarkedImage, writeMarkedImage } from '../../steps/marked-image.ts';
import { probeSwap } from '../../uses/swap.ts';
import { useOf } from '../../uses/uses.ts';
import { markBytes, type RandomKeyRecord } from './random-key-record.ts';

export function randomKeyOf({ name, randomKey }: Journal): RandomKeyRecord {
  if (randomKey === undefined) throw new Error(`the journal of ${name} has no record of a random key`);
  return randomKey;
}

/** swapoff, or umount. What was there is gone with the next step. */
export const letGoOfTemporary: Step = async (journal, context) => {
  const use = useOf(journal);
  await prepareMark(journal, context);
  if (!(await use.isInUse(context.run))) return journal;
  const stopping = await stopUnitsInTheWay(journal, context);
  await context.beforeUnmount(use.name);
  if (!(await use.leave(context.run))) throw new KannukiError('KNK-VOL-0003', { details: { point: use.name } });
  return stopping;
};

/**
 * Puts the mark on the device. Before it, the device is swap space with the UUID of the journal or, after a power cut, carries the
 * mark already; nothing else is written over.
 */
export const writeMark: Step = async (journal, context) => {
  if (randomKeyOf(journal).markUuid === null) return journal;
  // After a power cut the boot has found the mark and holds the device: then it is there.
  if ((await activeMapping(journal.name)) !== undefined) return journal;
  await assertSameDevice(journal, context.run);
  const { path } = journal.device;
  const image = await preparedMark(journal, context.paths);
  if (!(await carriesMark(path, image))) await assertPlain(journal, context);
  await writeMarkedImage(path, image);
  return journal;
};

/** Does now what the boot does from now on. */
export const mapWithRandomKey: Step = async (journal, context) => {
  const { device, name, header } = journal;
  const use = useOf(journal);
  if ((await activeMapping(name)) === undefined) {
    const { offsetBytes, markUuid } = randomKeyOf(journal);
    // A temporary disk is known by its role only: since the power went it may be another one, of another size.
    if (markUuid !== null) await assertSameDevice(journal, context.run);
    if (markUuid !== null && !(await carriesMark(device.path, await preparedMark(journal, context.paths)))) {
      throw wrongDevice(journal, 'no mark', `mark ${markUuid}`);
    }
    const { sectorSize } = header;
    await context.cryptsetup.openWithRandomKey({ device: device.path, name, offsetBytes, sectorSize });
    await makeMapperNodes(context.run);
  }
  const mapper = mapperPath(journal);
  if (!(await use.isInUse(context.run))) {
    if ((await use.probe(mapper, context.run)) !== use.wanted) await use.makeAnew(mapper, context.run);
    await use.enter(mapper, context.run);
  }
  await removeDurably(markPath(journal, context.paths));
  return await restartUnits(journal, context);
};

/** Refuses a device that is not the plain one of the journal any more. */
async function assertPlain(journal: Journal, { run }: StepContext): Promise<void> {
  const { use } = journal;
  if (use.kind !== 'swap') throw new Error(`${journal.name} is no swap space`);
  const seen = await probeSwap(run, journal.device.path);
  if (seen?.uuid !== use.uuid) throw wrongDevice(journal, seen?.uuid ?? 'no swap space', `swap ${use.uuid}`);
}

function wrongDevice({ name, device }: Journal, seen: string, wanted: string): KannukiError {
  return new KannukiError('KNK-VOL-0004', { details: { volume: name, device: device.path, seen, wanted } });
}

function markPath({ name }: Journal, paths: EnginePaths): string {
  return `${headerPath(paths, name)}.mark`;
}

/** The superblock of ext2 begins at byte 1024; its magic number and UUID lie within the first 512 bytes of it. */
async function preparedMark(journal: Journal, paths: EnginePaths): Promise<MarkedImage> {
  return { bytes: await readFile(markPath(journal, paths)), markOffset: 1024 };
}

async function prepareMark(journal: Journal, context: StepContext): Promise<void> {
  const { markUuid } = randomKeyOf(journal);
  if (markUuid === null) return;
  const path = markPath(journal, context.paths);
  const unfinished = `${path}.new`;
  await makeDirectoryDurably(headerFolder(context.paths), 0o700);
  await rm(unfinished, { force: true });
  await writeFile(unfinished, '', { mode: 0o600 });
  await truncate(unfinished, markBytes);
  const args = ['-q', '-t', 'ext2', '-b', '1024', '-N', '16', '-U', markUuid, '-L', 'kannuki-mark', unfinished];
  await context.run('mke2fs', args, { timeoutSeconds: 60 });
  await syncFile(unfinished);
  await renameDurably(unfinished, path);
}
