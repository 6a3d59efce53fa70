import { moveEntries } from '../../../boot/entries.ts';
import { type Plan, type PlanStep, stepsFrom } from '../../plan.ts';
import { escrowVolumePassphrase } from '../../steps/escrow.ts';
import { enterFormatted, finishFormat } from './enter.ts';
import { escrowPreparedHeader, prepareHeader } from './header.ts';
import { letGo } from './let-go.ts';
import { makeFileSystem } from './make-file-system.ts';
import { undoBeforeFormat } from './undo.ts';
import { wipeOldBlocks } from './wipe.ts';
import { writeHeader } from './write-header.ts';

/**
 * Formatting with the header on the device. Up to and with `let-go` the old volume is as it was, and fstab names it; from there
 * it is given up, and only going on is possible. The entries move last: before the new file system is complete, the boot does not
 * know of it and cannot let anyone write to it.
 */
const steps: readonly PlanStep[] = [
  { reaches: 'passphrase-escrowed', step: escrowVolumePassphrase },
  { reaches: 'header-prepared', step: prepareHeader },
  { reaches: 'header-escrowed', step: escrowPreparedHeader },
  { reaches: 'let-go', step: letGo },
  { reaches: 'header-written', step: writeHeader },
  { reaches: 'wiped', step: wipeOldBlocks },
  { reaches: 'file-system-made', step: makeFileSystem },
  { reaches: 'entries-moved', step: moveEntries },
  { reaches: 'mounted', step: enterFormatted },
  { reaches: 'finished', step: finishFormat },
];

const givenUp = stepsFrom(steps, 'let-go');
const made = stepsFrom(steps, 'file-system-made');

export const formatPlan: Plan = {
  operation: 'format',
  steps,
  isOpenedAtBoot: (step) => made.has(step),
  isMapped: (step) => made.has(step),
  onDisk: (step) => (step === 'finished' ? 'cipher' : 'other'),
  takeBack: { isPossible: (step) => !givenUp.has(step), run: undoBeforeFormat },
  endsJournal: false,
};
