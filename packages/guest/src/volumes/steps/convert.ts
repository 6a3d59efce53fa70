import { KannukiError } from '@kannuki/core';
import { removeConversionUnits } from '../../boot/entries.ts';
import type { Step } from '../context.ts';
import { headerPlace } from '../header-place.ts';
import { assertSameDevice } from '../identity.ts';
import { escrowHeader, readPassphrase } from './escrow.ts';
import { openAndEnter } from './map.ts';

/** Converts what is left of the volume while it is in use; the header says what into. */
export const convertVolume: Step = async (journal, context) => {
  if (!context.opened.has(journal.name)) {
    // Also compares the content with the journal's: another disk must never be converted.
    await openAndEnter(journal, context);
    await assertSameDevice(journal, context.run);
  }
  const header = headerPlace(journal, context.paths);
  // Behind a power cut at the very end a resume would convert everything a second time: see finishing-check.ts.
  if ((await context.finishingCheck(header, journal.device.sizeBytes)) === 'work-left') {
    using passphrase = await readPassphrase(journal, context.vault);
    try {
      await context.cryptsetup.resume({
        header,
        device: journal.device.path,
        name: journal.name,
        passphrase,
        resilience: journal.header.resilience,
        signal: context.signal,
        lock: context.lock,
        onProgress: (measured) => {
          const progress = { volume: journal.name, ...measured };
          context.progressFile.write(progress);
          context.onEvent({ kind: 'progress', progress });
        },
      });
    } finally {
      context.progressFile.remove(journal.name);
    }
  }
  if ((await context.finishingCheck(header, journal.device.sizeBytes)) !== 'nothing-left') {
    throw new KannukiError('KNK-VOL-0005', { details: { volume: journal.name } });
  }
  return journal;
};

/** The header has changed since its record was escrowed: the vault gets the final one, and the boot is simple again. */
export const finishConversion: Step = async (journal, context) => {
  await removeConversionUnits(journal, context);
  return await escrowHeader(journal, context);
};
