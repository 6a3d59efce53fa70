import { moveEntries } from '../../../boot/entries.ts';
import { type Plan, type PlanStep, stepsFrom } from '../../plan.ts';
import { convertVolume, finishConversion } from '../../steps/convert.ts';
import { escrowHeader, escrowVolumePassphrase } from '../../steps/escrow.ts';
import { makeHeader } from '../../steps/make-header.ts';
import { mapVolume } from '../../steps/map.ts';
import { undoBeforeInk } from './undo.ts';

/**
 * Encryption in place. Up to and with `mapped` no block of the volume changes, and before `header-escrowed` nothing at all
 * does but files of ours.
 */
const steps: readonly PlanStep[] = [
  { reaches: 'passphrase-escrowed', step: escrowVolumePassphrase },
  { reaches: 'header-made', step: makeHeader },
  { reaches: 'header-escrowed', step: escrowHeader },
  { reaches: 'entries-moved', step: moveEntries },
  { reaches: 'mapped', step: mapVolume },
  { reaches: 'converted', step: convertVolume },
  { reaches: 'finished', step: finishConversion },
];

const opened = stepsFrom(steps, 'entries-moved');
const inked = stepsFrom(steps, 'mapped');
const converted = stepsFrom(steps, 'converted');

export const encryptPlan: Plan = {
  operation: 'encrypt',
  steps,
  isOpenedAtBoot: (step) => opened.has(step),
  isMapped: (step) => inked.has(step),
  onDisk: (step) => (converted.has(step) ? 'cipher' : inked.has(step) ? 'plain-to-cipher' : 'plain'),
  takeBack: { isPossible: (step) => !inked.has(step), run: undoBeforeInk },
  endsJournal: false,
};
