import { type Plan, type PlanStep, stepsFrom } from '../../plan.ts';
import { escrowHeader } from '../../steps/escrow.ts';
import { decryptVolume, prepareBoot, startDecryption } from './convert.ts';
import { leaveMapping } from './leave-mapping.ts';
import { removeHeader } from './remove-header.ts';
import { restorePlainEntries } from './restore.ts';
import { retireSecrets } from './retire-secrets.ts';
import { backToEncrypted } from './undo.ts';

/**
 * Back to plain in place. Up to and with `boot-prepared` nothing of the volume has changed. What was needed to read the
 * ciphertext goes last and in this order: the header behind the last block, the secrets behind the header.
 */
const steps: readonly PlanStep[] = [
  { reaches: 'header-escrowed', step: escrowHeader },
  { reaches: 'boot-prepared', step: prepareBoot },
  { reaches: 'begun', step: startDecryption },
  { reaches: 'decrypted', step: decryptVolume },
  { reaches: 'entries-restored', step: restorePlainEntries },
  { reaches: 'unmapped', step: leaveMapping },
  { reaches: 'header-removed', step: removeHeader },
  { reaches: 'finished', step: retireSecrets },
];

const begun = stepsFrom(steps, 'begun');
/** From here on the volume is plain on its disk, and the boot must not put anything over it. */
const plain = stepsFrom(steps, 'decrypted');

export const decryptPlan: Plan = {
  operation: 'decrypt',
  steps,
  isOpenedAtBoot: (step) => !plain.has(step),
  isMapped: (step) => !plain.has(step),
  onDisk: (step) => (begun.has(step) ? 'other' : 'cipher'),
  takeBack: { isPossible: (step) => !begun.has(step), run: backToEncrypted },
  endsJournal: true,
};
