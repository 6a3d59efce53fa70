import type { ForeignMount, OpenFileUser } from './model.ts';
import { readProcesses } from './processes.ts';
import type { FactSources } from './sources.ts';
import { readUnits, type UnitPlace, unitOfCgroup } from './units.ts';

export interface OpenFiles {
  readonly openFiles: readonly OpenFileUser[];
  readonly foreignMounts: readonly ForeignMount[];
  readonly hiddenProcesses: readonly number[];
}

/**
 * Who keeps these devices busy now, with the systemd units that own them (REQ-050, REQ-051). Changes within seconds, so it
 * is to be read again right before an unmount.
 * @param numbers device numbers `MAJ:MIN` of mounted file systems
 */
export async function readOpenFiles(sources: FactSources, numbers: ReadonlySet<string>): Promise<OpenFiles> {
  if (numbers.size === 0) return { openFiles: [], foreignMounts: [], hiddenProcesses: [] };
  const { users, foreignMounts, hiddenProcesses } = readProcesses(sources.root, numbers);
  const places = new Map<string, UnitPlace>();
  const placed = users.map((user) => ({ ...user, place: unitOfCgroup(user.cgroup) }));
  for (const { place } of placed) if (place !== undefined) places.set(place.name, place);
  const units = await readUnits(sources, [...places.values()]);
  const openFiles = placed.flatMap(({ pid, command, paths, place }) =>
    [...paths].map(([number, shown]) => ({
      number,
      pid,
      command,
      unit: place === undefined ? null : (units.get(place.name) ?? null),
      paths: shown,
    })),
  );
  return { openFiles, foreignMounts, hiddenProcesses };
}
