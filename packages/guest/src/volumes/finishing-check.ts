import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { writeAll } from '@kannuki/core';
import { type FinishPlan, finishReencryption } from '@kannuki/formats';
import { readHeaderFile } from './header-file.ts';

/** `nothing-left`: every block is converted; `work-left`: a resume has blocks to convert. */
export type FinishingVerdict = 'nothing-left' | 'work-left';

/** Called before every `cryptsetup reencrypt --resume-only`, with the header file and the size of the device, bytes. */
export type FinishingCheck = (header: string, deviceSizeBytes: number) => Promise<FinishingVerdict>;

/**
 * The guard against cryptsetup's double encryption: after the last block it writes "all is encrypted", wipes its 16 MiB
 * work area and only then removes the mark "conversion under way". A power cut between makes a resume begin at block 0
 * again, silently. This check sees that state in the header and finishes the header itself.
 * @throws KannukiError KNK-FMT-0103 when the header is neither clearly unfinished nor clearly complete
 */
export const finishingCheck: FinishingCheck = async (header, deviceSizeBytes) => {
  const verdict = finishReencryption(await readHeaderFile(header), deviceSizeBytes);
  if (verdict.needed) {
    await finishHeader(header, verdict);
    return 'nothing-left';
  }
  switch (verdict.reason) {
    case 'not-reencrypting':
      return 'nothing-left';
    case 'unfinished':
      return 'work-left';
  }
};

/** A cut anywhere in here leaves a header for which the verdict is the same again, or a finished one. */
async function finishHeader(header: string, plan: FinishPlan): Promise<void> {
  const file = await open(header, constants.O_RDWR);
  try {
    for (const { offset, length } of plan.wipe) await wipe(file, offset, length);
    await file.sync();
    for (const { offset, bytes } of plan.writes) {
      await writeAll(file, bytes, offset);
      await file.sync();
    }
  } finally {
    await file.close();
  }
}

const wipePiece = 1024 * 1024;

/** The work area may hold plaintext of the last pieces. */
async function wipe(file: FileHandle, offset: number, length: number): Promise<void> {
  for (let done = 0; done < length; done += wipePiece) {
    const piece = randomBytes(Math.min(wipePiece, length - done));
    await writeAll(file, piece, offset + done);
  }
}
