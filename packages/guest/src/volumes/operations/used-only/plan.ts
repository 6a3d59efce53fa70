import { moveEntries } from '../../../boot/entries.ts';
import type { Step } from '../../context.ts';
import { type Plan, type PlanStep, stepsFrom } from '../../plan.ts';
import { convertVolume, finishConversion } from '../../steps/convert.ts';
import { escrowVolumePassphrase } from '../../steps/escrow.ts';
import { escrowFrontHeader, makeFrontHeader } from './front-header.ts';
import { growBack } from './grow-back.ts';
import { shrinkAndMap } from './shrink-and-map.ts';
import { undoUsedOnly } from './undo.ts';
import { wipeRest } from './wipe-rest.ts';

/** From here on the file system may be half shrunk, so the boot leaves the volume alone until `mapped`. */
const beginShrinking: Step = async (journal) => journal;

/**
 * Encryption in place of the used space only: shrink, convert the front, zeros over the rest, grow. Up to and with `mapped`
 * everything on the disk is plain, and before `shrink-begun` nothing on it changes.
 */
const steps: readonly PlanStep[] = [
  { reaches: 'passphrase-escrowed', step: escrowVolumePassphrase },
  { reaches: 'header-made', step: makeFrontHeader },
  { reaches: 'header-escrowed', step: escrowFrontHeader },
  { reaches: 'entries-moved', step: moveEntries },
  { reaches: 'shrink-begun', step: beginShrinking },
  { reaches: 'mapped', step: shrinkAndMap },
  { reaches: 'rest-wiped', step: wipeRest },
  { reaches: 'grown', step: growBack },
  { reaches: 'converted', step: convertVolume },
  { reaches: 'finished', step: finishConversion },
];

const mapped = stepsFrom(steps, 'mapped');
const converted = stepsFrom(steps, 'converted');

export const usedOnlyPlan: Plan = {
  operation: 'used-only',
  steps,
  isOpenedAtBoot: (step) => mapped.has(step),
  isMapped: (step) => mapped.has(step),
  // Of a conversion that goes backwards the boundary cannot be searched for (recovery/boundary-search.ts).
  onDisk: (step) => (converted.has(step) ? 'cipher' : mapped.has(step) ? 'other' : 'plain'),
  takeBack: { isPossible: (step) => !mapped.has(step), run: undoUsedOnly },
  endsJournal: false,
};
