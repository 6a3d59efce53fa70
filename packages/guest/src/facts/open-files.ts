import type { ForeignMount, OpenFileUser, UnitFact } from './model.ts';
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
  const table = readProcesses(sources.root, numbers);
  const places = new Map<string, UnitPlace>();
  for (const { cgroup } of [...table.users, ...table.foreignMounts]) {
    const place = unitOfCgroup(cgroup);
    if (place !== undefined) places.set(place.name, place);
  }
  const units = await readUnits(sources, [...places.values()]);
  const unitOf = (cgroup: string): UnitFact | null => units.get(unitOfCgroup(cgroup)?.name ?? '') ?? null;
  return {
    openFiles: table.users.flatMap(({ pid, command, paths, cgroup }) =>
      [...paths].map(([number, shown]) => ({ number, pid, command, unit: unitOf(cgroup), paths: shown })),
    ),
    foreignMounts: table.foreignMounts.map(({ cgroup, ...mount }) => ({ ...mount, unit: unitOf(cgroup) })),
    hiddenProcesses: table.hiddenProcesses,
  };
}
