import { moveEntries } from '../../../boot/entries.ts';
import { type Plan, type PlanStep, stepsFrom } from '../../plan.ts';
import { letGoOfTemporary, mapWithRandomKey, writeMark } from './steps.ts';
import { undoBeforeMark } from './undo.ts';

/**
 * A new key at each boot, for what need not outlive one: swap space and the temporary disk. The entries move first: a device
 * that has not got its mark yet is simply not found by the boot, and the lines have `nofail`.
 */
const steps: readonly PlanStep[] = [
  { reaches: 'entries-moved', step: moveEntries },
  { reaches: 'let-go', step: letGoOfTemporary },
  { reaches: 'marked', step: writeMark },
  { reaches: 'finished', step: mapWithRandomKey },
];

const givenUp = stepsFrom(steps, 'let-go');

export const randomKeyPlan: Plan = {
  operation: 'random-key',
  steps,
  // systemd does it by itself: there is no passphrase that anybody else could bring.
  isOpenedAtBoot: () => false,
  isMapped: () => false,
  onDisk: () => 'other',
  takeBack: { isPossible: (step) => !givenUp.has(step), run: undoBeforeMark },
  endsJournal: false,
};
