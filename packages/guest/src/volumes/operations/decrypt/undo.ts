import { removeConversionUnits } from '../../../boot/entries.ts';
import type { StepContext } from '../../context.ts';
import type { Journal } from '../../journal.ts';
import { isDecryptionBegun } from './convert.ts';

/** Takes a decryption back that is in no header yet: the volume is encrypted, as it was all the time. */
export async function backToEncrypted(journal: Journal, context: StepContext): Promise<void> {
  // cryptsetup may have failed behind its own first write; from there on only going on is safe.
  if (await isDecryptionBegun(journal, context)) return;
  await removeConversionUnits(journal, context);
  await context.store.save({ ...journal, operation: journal.madeBy, step: 'finished' });
}
