import { hasCode, KannukiError, type SecretBytes } from '@kannuki/core';
import { removeConversionUnits } from '../../boot/entries.ts';
import { beginMirror, removeMirror } from '../../recovery/header-mirror.ts';
import { tuneVolume } from '../../tuning/tune-volume.ts';
import type { Step, StepContext } from '../context.ts';
import { headerPlace } from '../header-place.ts';
import { assertSameDevice } from '../identity.ts';
import type { Journal } from '../journal.ts';
import { conversionPieces } from '../mapping.ts';
import { PaceKeeper } from '../pace/pace-keeper.ts';
import { mirrorPath } from '../paths.ts';
import { escrowHeader, readPassphrase } from './escrow.ts';
import { openAndEnter } from './map.ts';

/** Converts what is left of the volume while it is in use; the header says what into. */
export const convertVolume: Step = async (journal, context) => {
  if (!context.opened.has(journal.name)) {
    // Also compares the content with the journal's: another disk must never be converted.
    await openAndEnter(journal, context);
    await assertSameDevice(journal, context.run);
  }
  await assertNotTorn(journal);
  const check = () => context.finishingCheck(headerPlace(journal, context.paths), journal.device.sizeBytes);
  // Behind a power cut at the very end a resume would convert everything a second time: see finishing-check.ts.
  if ((await check()) === 'work-left') {
    // Read once: should the vault go away now, the work goes on.
    using passphrase = await readPassphrase(journal, context.vault);
    const mirror = journal.header.place === 'file' ? await beginMirror(context.paths, journal.name) : undefined;
    if (mirror === undefined) context.onEvent({ kind: 'no-mirror', volume: journal.name });
    const pace = new PaceKeeper({ volume: journal.name, file: context.pace, ...context });
    const runOnce = (end: AbortSignal, done: (bytes: number) => void): Promise<void> =>
      runConversion(journal, context, passphrase, end, (bytes) => {
        mirror?.onProgress();
        done(bytes);
      });
    try {
      for (let outcome = 'stopped'; outcome === 'stopped' && (await check()) === 'work-left'; ) {
        await pace.mayBegin();
        outcome = await pace.watch(runOnce);
        context.signal?.throwIfAborted();
        await assertNotTorn(journal);
      }
    } finally {
      await mirror?.settle();
    }
  }
  if ((await check()) !== 'nothing-left') {
    throw new KannukiError('KNK-VOL-0005', { details: { volume: journal.name } });
  }
  await removeMirror(mirrorPath(context.paths, journal.name));
  return journal;
};

/** One run of cryptsetup: to the last block, or to the end of a piece when it is asked to stop. */
async function runConversion(
  journal: Journal,
  context: StepContext,
  passphrase: SecretBytes,
  signal: AbortSignal,
  done: (bytes: number) => void,
): Promise<void> {
  const { device, name, header } = journal;
  try {
    await context.cryptsetup.resume({
      header: headerPlace(journal, context.paths),
      device: device.path,
      name,
      passphrase,
      resilience: header.resilience,
      signal,
      lock: context.lock,
      onProgress: (measured) => {
        done(measured.bytesDone);
        const progress = { volume: name, ...measured };
        context.progressFile.write(progress);
        context.onEvent({ kind: 'progress', progress });
      },
    });
  } catch (error) {
    throw await diskFailure(journal, error);
  } finally {
    context.progressFile.remove(name);
  }
}

/** cryptsetup leaves the piece where it failed: what it says of that is what the owner has to hear. */
async function diskFailure({ name }: Journal, error: unknown): Promise<unknown> {
  if (!hasCode(error, 'KNK-CMD-0001') || (await conversionPieces(name)).length === 0) return error;
  const { detail = '' } = error.details;
  // Killed, it says nothing, and assertNotTorn has the words for it.
  if (detail === '') return error;
  return new KannukiError('KNK-VOL-0015', { details: { volume: name, detail }, cause: error });
}

/** @throws KannukiError KNK-VOL-0011 when a run was killed in the middle of a piece: cryptsetup cannot go on before a reboot */
async function assertNotTorn({ name }: Journal): Promise<void> {
  const pieces = await conversionPieces(name);
  if (pieces.length === 0) return;
  throw new KannukiError('KNK-VOL-0011', {
    details: { volume: name, pieces: pieces.map((piece) => piece.name).join(', ') },
  });
}

/** The header has changed since its record was escrowed: the vault gets the final one, and the boot is simple again. */
export const finishConversion: Step = async (journal, context) => {
  await removeConversionUnits(journal, context);
  await tuneVolume(journal, context);
  return await escrowHeader(journal, context);
};
