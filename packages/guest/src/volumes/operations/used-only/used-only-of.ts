import type { Journal } from '../../journal.ts';
import type { UsedOnlyRecord } from './record.ts';

/** A journal of this operation always has it: plan.ts is used for no other. */
export function usedOnlyOf(journal: Journal): UsedOnlyRecord {
  if (journal.usedOnly === undefined) throw new Error(`${journal.name} has no record of its used space`);
  return journal.usedOnly;
}
