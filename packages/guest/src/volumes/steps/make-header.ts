import { rm } from 'node:fs/promises';
import { makeDirectoryDurably, renameDurably, syncFile } from '@kannuki/core';
import { readLuks2Header } from '@kannuki/formats';
import { plainTuning } from '../../tuning/tuning.ts';
import type { Step } from '../context.ts';
import { readHeaderFile } from '../header-file.ts';
import { headerFolder, headerPath } from '../paths.ts';
import { readPassphrase } from './escrow.ts';

/**
 * Makes the volume's detached header. It writes nothing to the volume, so it may be done again from the beginning
 * as long as the step is not complete. The passphrase is the one that was read back from the vault.
 */
export const makeHeader: Step = async (journal, context) => {
  const header = headerPath(context.paths, journal.name);
  const unfinished = `${header}.new`;
  await makeDirectoryDurably(headerFolder(context.paths), 0o700);
  await rm(unfinished, { force: true });
  using passphrase = await readPassphrase(journal, context.vault);
  const device = journal.device.path;
  const { sectorSize, resilience } = journal.header;
  const { tuning = plainTuning(sectorSize) } = journal;
  await context.cryptsetup.makeHeader({ header: unfinished, device, passphrase, tuning, resilience });
  await context.cryptsetup.testPassphrase(unfinished, device, passphrase);
  await syncFile(unfinished);
  await renameDurably(unfinished, header);
  return { ...journal, luksUuid: readLuks2Header(await readHeaderFile(header)).newest.uuid };
};
