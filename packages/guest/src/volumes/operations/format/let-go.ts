import { KannukiError } from '@kannuki/core';
import type { Step } from '../../context.ts';
import { isEmptyFileSystem } from '../../empty.ts';
import { stopUnitsInTheWay } from '../../steps/map.ts';
import { useOf } from '../../uses/uses.ts';
import { assertGivenUp, formatOf } from './format-of.ts';

/** The last look at the old volume: unmounted, and still the one that was given up. Its record is the point of no return. */
export const letGo: Step = async (journal, context) => {
  const use = useOf(journal);
  const format = formatOf(journal);
  const isInUse = format.before !== null && (await use.isInUse(context.run));
  if (format.onlyIfEmpty && !(isInUse && (await isEmptyFileSystem(use.name)))) {
    throw new KannukiError('KNK-VOL-0301', { details: { point: use.name } });
  }
  if (!isInUse) {
    await assertGivenUp(journal, context.run);
    return { ...journal, format: { ...format, leftAt: new Date().toISOString() } };
  }
  const stopping = await stopUnitsInTheWay(journal, context);
  await context.beforeUnmount(use.name);
  const leftAt = new Date().toISOString();
  if (!(await use.leave(context.run))) throw new KannukiError('KNK-VOL-0003', { details: { point: use.name } });
  try {
    await assertGivenUp(journal, context.run);
  } catch (error) {
    await use.enter(journal.device.path, context.run);
    throw error;
  }
  return { ...stopping, format: { ...format, leftAt } };
};
