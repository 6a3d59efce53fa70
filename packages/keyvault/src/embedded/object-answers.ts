import type { Deletion, Page } from '../service/model.ts';
import type { VersionRow } from './statements.ts';

export function deletionOf({ object }: VersionRow): Deletion {
  const { deletedAt, purgeAt } = object.state;
  return { deletedDate: Math.floor((deletedAt ?? 0) / 1000), scheduledPurgeDate: Math.floor((purgeAt ?? 0) / 1000) };
}

export function mapPage<From, To>({ items, next }: Page<From>, map: (item: From) => To): Page<To> {
  return { items: items.map(map), next };
}

/** What a change says, and of nothing but these members: a member that is there but undefined changes nothing. */
export function changesOf<Change extends object, Member extends keyof Change>(
  change: Change,
  members: readonly Member[],
): { [Key in Member]?: Exclude<Change[Key], undefined> } {
  const said = members.filter((member) => change[member] !== undefined).map((member) => [member, change[member]]);
  return Object.fromEntries(said) as { [Key in Member]?: Exclude<Change[Key], undefined> };
}
