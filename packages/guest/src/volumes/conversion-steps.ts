import { KannukiError } from '@kannuki/core';
import { removeConversionUnits } from '../boot/entries.ts';
import { beginMirror, removeMirror } from '../recovery/header-mirror.ts';
import type { Step } from './context.ts';
import { escrowHeader, readPassphrase } from './escrow-steps.ts';
import { assertSameDevice } from './identity.ts';
import { openAndMount } from './map-step.ts';
import { headerPath, mirrorPath } from './paths.ts';

/** Converts the rest of the volume while it is in use. */
export const convertVolume: Step = async (journal, context) => {
  if (!context.opened.has(journal.name)) {
    // Also compares the file system with the journal's: another disk must never be converted.
    await openAndMount(journal, context);
    await assertSameDevice(journal, context.run);
  }
  const header = headerPath(context.paths, journal.name);
  // Behind a power cut at the very end a resume would encrypt everything a second time: see finishing-check.ts.
  if ((await context.finishingCheck(header, journal.device.sizeBytes)) === 'work-left') {
    using passphrase = await readPassphrase(journal, context.vault);
    const mirror = await beginMirror(context.paths, journal.name);
    if (mirror === undefined) context.onEvent({ kind: 'no-mirror', volume: journal.name });
    try {
      await context.cryptsetup.resume({
        header,
        device: journal.device.path,
        name: journal.name,
        passphrase,
        resilience: journal.header.resilience,
        signal: context.signal,
        onProgress: (measured) => {
          const progress = { volume: journal.name, ...measured };
          context.progressFile.write(progress);
          mirror?.onProgress();
          context.onEvent({ kind: 'progress', progress });
        },
      });
    } finally {
      await mirror?.settle();
      context.progressFile.remove(journal.name);
    }
  }
  if ((await context.finishingCheck(header, journal.device.sizeBytes)) !== 'nothing-left') {
    throw new KannukiError('KNK-VOL-0005', { details: { volume: journal.name } });
  }
  await removeMirror(mirrorPath(context.paths, journal.name));
  return journal;
};

/** The header has changed since its record was escrowed: the vault gets the final one, and the boot is simple again. */
export const finishVolume: Step = async (journal, context) => {
  await removeConversionUnits(journal, context);
  return await escrowHeader(journal, context);
};
