import { KannukiError } from '@kannuki/core';
import { releasePassphrase } from '@kannuki/keyvault';
import type { Step, StepContext } from '../../context.ts';
import type { Journal } from '../../journal.ts';
import type { Plan, PlanStep } from '../../plan.ts';
import { escrowAsNewest, escrowHeader, readPassphrase } from '../../steps/escrow.ts';
import { settled, withoutRotation } from '../rotation-checks.ts';
import { kekRotationOf } from './kek-rotation.ts';

/** The same passphrase as a new version under the new KEK; read back, unwrapped and compared. */
const rewrapPassphrase: Step = async (journal, context) => {
  const rotation = { ...kekRotationOf(journal), escrowTried: true };
  const begun = { ...journal, kekRotation: rotation };
  await context.store.save(begun);
  using passphrase = await readPassphrase(begun, context.vault);
  const receipt = await escrowAsNewest(begun, context.vault, passphrase, rotation.kekId);
  using released = await releasePassphrase(context.vault, receipt);
  if (!released.equals(passphrase)) {
    const details = { vault: context.vault.vaultUri, object: receipt.secretId, difference: 'the passphrase' };
    throw new KannukiError('KNK-KVT-0006', { details });
  }
  return { ...begun, kekRotation: { ...rotation, passphrase: receipt } };
};

const rewrapHeader: Step = async (journal, context) => {
  const rotation = kekRotationOf(journal);
  const { headerRecord } = await escrowHeader({ ...journal, passphrase: rotation.passphrase }, context);
  return { ...journal, kekRotation: { ...rotation, headerRecord } };
};

/** One write of the journal changes from the old KEK to the new one. */
const switchToNew: Step = async (journal) => {
  const { kekId, passphrase, headerRecord } = kekRotationOf(journal);
  return withoutRotation({ ...journal, kekId, passphrase, headerRecord });
};

/** The version under the old KEK is made the newest again, since that is what a server gives to the next boot. */
async function undoKekRotation(journal: Journal, context: StepContext): Promise<void> {
  if (!kekRotationOf(journal).escrowTried) {
    await context.store.save(settled(journal));
    return;
  }
  using old = await readPassphrase(journal, context.vault);
  const passphrase = await escrowAsNewest(journal, context.vault, old, journal.passphrase?.kekId ?? null);
  await context.store.save(settled({ ...journal, passphrase }));
}

const steps: readonly PlanStep[] = [
  { reaches: 'passphrase-rewrapped', step: rewrapPassphrase },
  { reaches: 'header-rewrapped', step: rewrapHeader },
  { reaches: 'finished', step: switchToNew },
];

export const rotateKekPlan: Plan = {
  operation: 'rotate-kek',
  steps,
  isOpenedAtBoot: () => true,
  isMapped: () => true,
  onDisk: () => 'cipher',
  takeBack: { isPossible: (step) => step !== 'finished', run: undoKekRotation },
  encryptedThroughout: true,
  endsJournal: false,
};
