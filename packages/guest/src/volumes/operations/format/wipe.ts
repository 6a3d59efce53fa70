import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Step } from '../../context.ts';
import { headerAreaBytes } from '../../cryptsetup.ts';
import { zeroRange } from '../../steps/zero-range.ts';
import { assertOurHeader, formatOf } from './format-of.ts';

/** Small enough that an interruption is heard soon, large enough that the calls cost nothing. */
const pieceBytes = 1024 ** 3;

/**
 * Zeros what the old volume has left behind the header: at once where the disk can unmap and promises zeros then, else written. A
 * power cut in here begins it again. A blank device has nothing to wipe.
 */
export const wipeOldBlocks: Step = async (journal, context) => {
  const { before, wipe } = formatOf(journal);
  await assertOurHeader(journal, context.run);
  if (before === null || !wipe) return journal;
  const { path, sizeBytes } = journal.device;
  const start = performance.now();
  const bytesTotal = sizeBytes - headerAreaBytes;
  try {
    for (let offset = headerAreaBytes; offset < sizeBytes; offset += pieceBytes) {
      context.signal?.throwIfAborted();
      const length = Math.min(pieceBytes, sizeBytes - offset);
      await assertUnused(path);
      await zeroRange(context.run, path, offset, length, {
        // 1 GiB at less than 1 MB/s is a disk that nobody can use.
        timeoutSeconds: 3600,
        ...(context.lock === null ? {} : { descriptors: [context.lock] }),
      });
      const bytesDone = offset + length - headerAreaBytes;
      const bytesPerSecond = Math.round((bytesDone * 1000) / Math.max(performance.now() - start, 1));
      const etaSeconds = Math.ceil((bytesTotal - bytesDone) / Math.max(bytesPerSecond, 1));
      const progress = { volume: journal.name, bytesDone, bytesTotal, bytesPerSecond, etaSeconds };
      context.progressFile.write(progress);
      context.onEvent({ kind: 'progress', progress });
    }
  } finally {
    context.progressFile.remove(journal.name);
  }
  return journal;
};

/**
 * Refused by the kernel (EBUSY) while a mount or a mapping has the device: O_EXCL on a block device claims it, open(2). Not for longer
 * than this look: kernels before 5.12 would refuse the zeros of any other program meanwhile.
 */
async function assertUnused(device: string): Promise<void> {
  await (await open(device, constants.O_RDONLY | constants.O_EXCL)).close();
}
