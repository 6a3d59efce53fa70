import { readFile } from 'node:fs/promises';
import { KannukiError } from '@kannuki/core';
import { restoreEntries } from '../../../boot/entries.ts';
import type { Step } from '../../context.ts';
import { useOf } from '../../uses/uses.ts';

/**
 * The entries of before the encryption, byte for byte; what the boot needed for the mapping goes. From the step before on
 * (`decrypted`, on record) the boot maps nothing, so no instant in here has two ways to the volume.
 */
export const restorePlainEntries: Step = async (journal, context) => {
  const use = useOf(journal);
  const lines = (await readFile(context.paths.fstab, 'latin1')).split('\n');
  for (const { original, moved } of use.bootEntries(journal.name).fstab) {
    if (lines.includes(original) || lines.includes(moved)) continue;
    // Without it the next boot would not mount the volume, and nobody would know why.
    throw new KannukiError('KNK-VOL-0008', { details: { point: use.name, path: context.paths.fstab } });
  }
  await restoreEntries(journal, context);
  return journal;
};
