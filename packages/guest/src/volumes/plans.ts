import type { Journal, OperationName } from './journal.ts';
import { decryptPlan } from './operations/decrypt/plan.ts';
import { encryptPlan } from './operations/encrypt/plan.ts';
import { endRandomKeyPlan } from './operations/end-random-key/plan.ts';
import { formatPlan } from './operations/format/plan.ts';
import { randomKeyPlan } from './operations/random-key/plan.ts';
import { rotateKekPlan } from './operations/rotate-kek/plan.ts';
import { rotatePassphrasePlan } from './operations/rotate-passphrase/plan.ts';
import { rotateVolumeKeyPlan } from './operations/rotate-volume-key/plan.ts';
import { usedOnlyPlan } from './operations/used-only/plan.ts';
import type { Plan } from './plan.ts';

const plans: Readonly<Record<OperationName, Plan>> = {
  encrypt: encryptPlan,
  decrypt: decryptPlan,
  'rotate-passphrase': rotatePassphrasePlan,
  'rotate-kek': rotateKekPlan,
  'rotate-volume-key': rotateVolumeKeyPlan,
  'used-only': usedOnlyPlan,
  format: formatPlan,
  'random-key': randomKeyPlan,
  'end-random-key': endRandomKeyPlan,
};

export function planOf({ operation }: Pick<Journal, 'operation'>): Plan {
  return plans[operation];
}

/** For a journal that was read: whether it names an operation, and a step of it. */
export function isStepOf(operation: unknown, step: unknown): boolean {
  if (typeof operation !== 'string' || !Object.hasOwn(plans, operation)) return false;
  const { steps } = plans[operation as OperationName];
  return step === 'planned' || steps.some(({ reaches }) => reaches === step);
}

/** The boot, and `disk unlock`, open this volume. */
export function isOpenedAtBoot(journal: Journal): boolean {
  return planOf(journal).isOpenedAtBoot(journal.step);
}

/** The volume is in use over its mapping and no other way. */
export function isMapped(journal: Journal): boolean {
  return planOf(journal).isMapped(journal.step);
}

/** Every block is encrypted, before, during and after the operation. */
export function isEncryptedThroughout(journal: Journal): boolean {
  return planOf(journal).encryptedThroughout === true;
}
