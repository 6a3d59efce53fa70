import { rm } from 'node:fs/promises';
import { makeDirectoryDurably, renameDurably, syncFile } from '@kannuki/core';
import type { Step } from '../../context.ts';
import { headerFolder, headerPath } from '../../paths.ts';
import { escrowHeaderAt, readPassphrase } from '../../steps/escrow.ts';
import { formatOf } from './format-of.ts';

/**
 * Makes the header that is to go to the beginning of the device, in a file: so it is escrowed, and proved to open with what the
 * vault gives back, before the device changes at all.
 */
export const prepareHeader: Step = async (journal, context) => {
  const header = headerPath(context.paths, journal.name);
  const unfinished = `${header}.new`;
  await makeDirectoryDurably(headerFolder(context.paths), 0o700);
  await rm(unfinished, { force: true });
  using passphrase = await readPassphrase(journal, context.vault);
  const { luksUuid } = formatOf(journal);
  const { sectorSize } = journal.header;
  await context.cryptsetup.makeHeaderForDevice({ file: unfinished, luksUuid, passphrase, sectorSize });
  await context.cryptsetup.testPassphrase(unfinished, unfinished, passphrase);
  await syncFile(unfinished);
  await renameDurably(unfinished, header);
  return { ...journal, luksUuid };
};

export const escrowPreparedHeader: Step = (journal, context) =>
  escrowHeaderAt(headerPath(context.paths, journal.name), journal, context);
