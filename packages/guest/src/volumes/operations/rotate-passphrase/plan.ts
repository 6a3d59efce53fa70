import type { Step } from '../../context.ts';
import type { Journal } from '../../journal.ts';
import { type Plan, type PlanStep, stepsFrom } from '../../plan.ts';
import { escrowHeader, readPassphrase } from '../../steps/escrow.ts';
import { withoutRotation } from '../rotation-checks.ts';
import { addPassphrase, assertOpens } from './add-passphrase.ts';
import { passphraseRotationOf } from './passphrase-rotation.ts';
import { removeSlots, undoPassphraseRotation } from './take-back.ts';

/** From here on the vault's unlock asks for the new one too; the old one still opens the volume. */
const switchToNew: Step = async (journal) => ({ ...journal, passphrase: added(journal).passphrase });

/**
 * The old slot goes only after the new passphrase, fetched as the next boot fetches it, has opened the header once more.
 * In place and not in a copy of the header: cryptsetup syncs each of its writes in an order that a power cut may stop
 * anywhere, and only this way the old slot is overwritten where it lies on the disk.
 */
const removeOld: Step = async (journal, context) => {
  using passphrase = await readPassphrase(journal, context.vault);
  await assertOpens(journal, context, added(journal).slot, passphrase);
  await removeSlots(journal, context, [passphraseRotationOf(journal).oldSlot]);
  return journal;
};

const finishRotation: Step = async (journal, context) => withoutRotation(await escrowHeader(journal, context));

const steps: readonly PlanStep[] = [
  { reaches: 'passphrase-added', step: addPassphrase },
  { reaches: 'header-escrowed', step: escrowHeader },
  { reaches: 'switched', step: switchToNew },
  { reaches: 'old-removed', step: removeOld },
  { reaches: 'finished', step: finishRotation },
];

const switched = stepsFrom(steps, 'switched');

export const rotatePassphrasePlan: Plan = {
  operation: 'rotate-passphrase',
  steps,
  isOpenedAtBoot: () => true,
  isMapped: () => true,
  onDisk: () => 'cipher',
  takeBack: { isPossible: (step) => !switched.has(step), run: undoPassphraseRotation },
  encryptedThroughout: true,
  endsJournal: false,
};

function added(journal: Journal): NonNullable<ReturnType<typeof passphraseRotationOf>['added']> {
  const found = passphraseRotationOf(journal).added;
  if (found === null) throw new Error(`${journal.name} has no new passphrase on record`);
  return found;
}
