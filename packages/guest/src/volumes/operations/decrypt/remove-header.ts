import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { removeDurably, writeAll } from '@kannuki/core';
import type { Step } from '../../context.ts';
import { headerPath } from '../../paths.ts';

const pieceBytes = 1024 * 1024;

/**
 * Wipes and removes the header and whatever copy of it a power cut has left. The volume is plain, flushed and in use without it.
 * What file system and disk keep elsewhere of a file that is overwritten is theirs: the secret's last way out is the vault's.
 */
export const removeHeader: Step = async (journal, context) => {
  const header = headerPath(context.paths, journal.name);
  for (const ending of ['.before-recovery.new', '.before-recovery', '.new', '']) {
    await wipe(`${header}${ending}`);
    await removeDurably(`${header}${ending}`);
  }
  return journal;
};

async function wipe(path: string): Promise<void> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(path, constants.O_WRONLY);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  try {
    const { size } = await file.stat();
    for (let done = 0; done < size; done += pieceBytes) {
      const piece = randomBytes(Math.min(pieceBytes, size - done));
      await writeAll(file, piece, done);
    }
    await file.sync();
  } finally {
    await file.close();
  }
}
