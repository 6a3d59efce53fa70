import type { Deletion, Page } from '../service/model.ts';
import type { VersionRow } from './statements.ts';

export function deletionOf({ object }: VersionRow): Deletion {
  const { deletedAt, purgeAt } = object.state;
  return { deletedDate: Math.floor((deletedAt ?? 0) / 1000), scheduledPurgeDate: Math.floor((purgeAt ?? 0) / 1000) };
}

export function mapPage<From, To>({ items, next }: Page<From>, map: (item: From) => To): Page<To> {
  return { items: items.map(map), next };
}

/** A change says what it changes: a member that is there but undefined is not one. */
export function definedOnly<Change extends object>(
  change: Change,
): { [Key in keyof Change]: Exclude<Change[Key], undefined> } {
  const entries = Object.entries(change).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [Key in keyof Change]: Exclude<Change[Key], undefined> };
}
