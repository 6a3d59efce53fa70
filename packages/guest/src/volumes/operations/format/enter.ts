import { chmod, chown, mkdir } from 'node:fs/promises';
import { removeDurably, syncDirectory } from '@kannuki/core';
import { removeConversionUnits } from '../../../boot/entries.ts';
import type { Step } from '../../context.ts';
import { headerPath } from '../../paths.ts';
import { openAndEnter, restartUnits } from '../../steps/map.ts';
import { formatOf, mountUseOf } from './format-of.ts';

/** Mounts the new volume, with the top folder as the old one had it, and starts what was stopped. */
export const enterFormatted: Step = async (journal, context) => {
  const { point } = mountUseOf(journal);
  const { topFolder, leftAt } = formatOf(journal);
  await mkdir(point, { recursive: true });
  await openAndEnter(journal, context);
  context.opened.add(journal.name);
  if (topFolder !== null) {
    await chown(point, topFolder.uid, topFolder.gid);
    await chmod(point, topFolder.mode);
    await syncDirectory(point);
  }
  const downtimeSeconds = leftAt === null ? null : Math.max(0, (Date.now() - Date.parse(leftAt)) / 1000);
  return await restartUnits({ ...journal, downtimeSeconds }, context);
};

/** The header is on its device and in the vault: a third copy would only grow old. */
export const finishFormat: Step = async (journal, context) => {
  await removeConversionUnits(journal, context);
  await removeDurably(headerPath(context.paths, journal.name));
  return journal;
};
