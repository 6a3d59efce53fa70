import { finishReencryption, readLuks2Header, reencryptionProgress } from '@kannuki/formats';
import { readHeaderFile, writeHeaderCopies } from './header-file.ts';

/** `nothing-left`: every block is converted; `work-left`: a resume has blocks to convert. */
export type FinishingVerdict = 'nothing-left' | 'work-left';

/** Called before every `cryptsetup reencrypt --resume-only`, with the header file and the size of the device, bytes. */
export type FinishingCheck = (header: string, deviceSizeBytes: number) => Promise<FinishingVerdict>;

/**
 * The guard against cryptsetup's double encryption: after the last block it writes "all is encrypted", wipes its 16 MiB
 * work area and only then removes the mark "conversion under way". A power cut between makes a resume begin at block 0
 * again, silently. This check sees that state in the header and finishes the header itself.
 */
export const finishingCheck: FinishingCheck = async (header, deviceSizeBytes) => {
  const bytes = await readHeaderFile(header);
  const { metadata, headerSize } = readLuks2Header(bytes).newest;
  if (!reencryptionProgress(metadata, deviceSizeBytes).pending) return 'nothing-left';
  const finish = finishReencryption(bytes, deviceSizeBytes);
  if (!finish.needed) return 'work-left';
  await writeHeaderCopies(header, finish.header, headerSize);
  return 'nothing-left';
};
