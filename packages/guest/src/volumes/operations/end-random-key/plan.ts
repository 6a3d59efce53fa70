import { KannukiError } from '@kannuki/core';
import { restoreEntries } from '../../../boot/entries.ts';
import type { StepContext } from '../../context.ts';
import type { Journal } from '../../journal.ts';
import type { Plan, PlanStep } from '../../plan.ts';
import { useOf } from '../../uses/uses.ts';
import type { Operation } from '../operation.ts';
import { backInUse, letGoOfMapping, makePlain } from './steps.ts';

/** The way back from a random key: plain swap space with its old UUID and label, or a plain temporary disk, and fstab as it was. */
export const endRandomKey: Operation = {
  name: 'end-random-key',
  begin: async (journal) => {
    if (journal.randomKey === undefined) {
      throw new KannukiError('KNK-VOL-0007', { details: { target: useOf(journal).name } });
    }
    return journal;
  },
};

const steps: readonly PlanStep[] = [
  { reaches: 'let-go', step: letGoOfMapping },
  { reaches: 'plain-made', step: makePlain },
  {
    reaches: 'entries-restored',
    step: async (journal, context) => {
      await restoreEntries(journal, context);
      return journal;
    },
  },
  { reaches: 'finished', step: backInUse },
];

export const endRandomKeyPlan: Plan = {
  operation: 'end-random-key',
  steps,
  isOpenedAtBoot: () => false,
  isMapped: () => false,
  onDisk: () => 'other',
  takeBack: { isPossible: (step) => step === 'planned', run: stayAsItWas },
  endsJournal: true,
};

/** Swap space that memory could not take: it stays encrypted and on. */
async function stayAsItWas(journal: Journal, context: StepContext): Promise<void> {
  const use = useOf(journal);
  const mapper = `/dev/mapper/${journal.name}`;
  if (!(await use.isInUse(context.run)) && (await use.probe(mapper, context.run)) === use.wanted) {
    await use.enter(mapper, context.run);
  }
  await context.store.save({ ...journal, operation: journal.madeBy, step: 'finished' });
}
