import { type Plan, type PlanStep, stepsFrom } from '../../plan.ts';
import { convertVolume } from '../../steps/convert.ts';
import {
  escrowBothKeys,
  finishKeyRotation,
  installNextHeader,
  makeNextHeader,
  prepareBoot,
  undoKeyRotation,
} from './steps.ts';

/** Up to and with `keys-escrowed` neither the volume nor its header changes. */
const steps: readonly PlanStep[] = [
  { reaches: 'boot-prepared', step: prepareBoot },
  { reaches: 'header-made', step: makeNextHeader },
  { reaches: 'keys-escrowed', step: escrowBothKeys },
  { reaches: 'header-installed', step: installNextHeader },
  { reaches: 'converted', step: convertVolume },
  { reaches: 'finished', step: finishKeyRotation },
];

const inked = stepsFrom(steps, 'header-installed');

export const rotateVolumeKeyPlan: Plan = {
  operation: 'rotate-volume-key',
  steps,
  isOpenedAtBoot: () => true,
  isMapped: () => true,
  onDisk: (step) => (step === 'finished' || !inked.has(step) ? 'cipher' : 'other'),
  takeBack: { isPossible: (step) => !inked.has(step), run: undoKeyRotation },
  encryptedThroughout: true,
  endsJournal: false,
};
