import { moveEntries } from '../boot/entries.ts';
import type { Step, StepContext } from './context.ts';
import { convertVolume, finishVolume } from './conversion-steps.ts';
import { escrowHeader, escrowVolumePassphrase } from './escrow-steps.ts';
import { makeHeader } from './header-step.ts';
import { type EncryptionStep, encryptionSteps, type Journal } from './journal.ts';
import { mapVolume } from './map-step.ts';

/**
 * What brings a volume from one step to the next: the plan of an encryption in place. Up to and with `mapped` no block of
 * the volume changes, and before `header-escrowed` nothing at all does but files of ours.
 */
const plan: Readonly<
  Record<Exclude<EncryptionStep, 'finished'>, { readonly reaches: EncryptionStep; readonly step: Step }>
> = {
  planned: { reaches: 'passphrase-escrowed', step: escrowVolumePassphrase },
  'passphrase-escrowed': { reaches: 'header-made', step: makeHeader },
  'header-made': { reaches: 'header-escrowed', step: escrowHeader },
  'header-escrowed': { reaches: 'entries-moved', step: moveEntries },
  'entries-moved': { reaches: 'mapped', step: mapVolume },
  mapped: { reaches: 'converted', step: convertVolume },
  converted: { reaches: 'finished', step: finishVolume },
};

/** Goes on from where the journal stands, to the end. Each step is on record before the next begins. */
export async function advance(
  journal: Journal,
  context: StepContext,
  until: EncryptionStep = 'finished',
): Promise<Journal> {
  let current = journal;
  while (current.step !== 'finished' && encryptionSteps.indexOf(current.step) < encryptionSteps.indexOf(until)) {
    context.signal?.throwIfAborted();
    const { step, reaches } = plan[current.step];
    current = { ...(await step(current, context)), step: reaches };
    await context.store.save(current);
    context.onEvent({ kind: 'step', volume: current.name, step: reaches });
  }
  return current;
}
